// Puts the sampling steps in order. Random numbers are a hash of seed and position, so that no
// generator's state has to travel with a sequence.
#include "llmir/runtime/sampling/Sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

namespace llmir {

namespace {

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

/// Uniform in [0, 1).
double randomPoint(uint64_t seed, uint64_t index) {
  return double(mix(mix(seed) ^ index) >> 11) * 0x1p-53;
}

Status checkRange(const char *name, double value, double least, double most) {
  if (value >= least && value <= most)
    return {};
  return fail("{} is {}, from {} to {} is possible", name, value, least, most);
}

/// The index of the highest logit, of equal ones the lowest; errors as sample(). Written in lanes,
/// so that the compiler makes vectors of them: between two steps nobody else has work.
Expected<int32_t> highest(std::span<const float> logits) {
  constexpr size_t lanes = 32;
  std::array<float, lanes> top;
  top.fill(-std::numeric_limits<float>::infinity());
  std::array<int32_t, lanes> isNan{};
  const size_t whole = logits.size() / lanes * lanes;
  auto look = [&](size_t lane, float logit) {
    isNan[lane] |= logit != logit;
    top[lane] = top[lane] < logit ? logit : top[lane];
  };
  for (size_t i = 0; i < whole; i += lanes)
    for (size_t lane = 0; lane < lanes; ++lane)
      look(lane, logits[i + lane]);
  for (size_t i = whole; i < logits.size(); ++i)
    look(i - whole, logits[i]);
  auto index = [&](auto matches) {
    return int32_t(std::find_if(logits.begin(), logits.end(), matches) - logits.begin());
  };
  if (std::ranges::any_of(isNan, std::identity()))
    return fail("the logit of token {} is not a number", index([](float x) { return x != x; }));
  const float best = *std::ranges::max_element(top);
  const int32_t id = index([&](float x) { return x == best; });
  if (!std::isfinite(best))
    return fail("the logit of token {} is not finite", id);
  return id;
}

} // namespace

Status checkSamplingOptions(const SamplingOptions &options) {
  struct Range {
    const char *name;
    double value, least, most;
  };
  for (const Range &range : {Range{"temperature", options.temperature, 0, 100},
                             Range{"top-k", double(options.topK), 0, INT32_MAX},
                             Range{"top-p", options.topP, 0, 1}, Range{"min-p", options.minP, 0, 1},
                             Range{"repeat-penalty", options.repetitionPenalty, 0.01, 100},
                             Range{"presence-penalty", options.presencePenalty, -100, 100},
                             Range{"frequency-penalty", options.frequencyPenalty, -100, 100}})
    if (Status status = checkRange(range.name, range.value, range.least, range.most); !status)
      return status;
  return {};
}

Sampler::Sampler(int64_t vocabulary) : counts(vocabulary, 0) { candidates.reserve(vocabulary); }

Expected<int32_t> Sampler::sample(const SamplingOptions &options, std::span<const float> logits,
                                  std::span<const int32_t> tokens, size_t promptLength) {
  std::span<const int32_t> completion = tokens.subspan(promptLength);
  auto first = highest(logits);
  const bool penalizes = options.repetitionPenalty != 1 || options.presencePenalty != 0 ||
                         options.frequencyPenalty != 0;
  if (!first || (options.temperature == 0 && !penalizes))
    return first;

  candidates.resize(logits.size());
  for (int32_t id = 0; id < int32_t(logits.size()); ++id)
    candidates[size_t(id)] = {id, logits[size_t(id)]};
  if (options.repetitionPenalty != 1)
    penalizeRepetition(candidates, tokens, options.repetitionPenalty, counts);
  if (options.presencePenalty != 0 || options.frequencyPenalty != 0)
    penalizeFrequency(candidates, completion, options.presencePenalty, options.frequencyPenalty,
                      counts);
  if (options.temperature == 0)
    return best(candidates).id;
  keepTopK(candidates, options.topK);
  keepTopP(candidates, options.topP);
  keepMinP(candidates, options.minP);
  applyTemperature(candidates, options.temperature);
  return draw(candidates, randomPoint(options.seed, completion.size()));
}

} // namespace llmir
