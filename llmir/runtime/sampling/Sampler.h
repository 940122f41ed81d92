// From a row of logits to the next token. What is drawn depends on the request's options, seed and
// tokens alone, never on what else is in the batch.
#pragma once

#include "llmir/runtime/sampling/Candidates.h"
#include "llmir/support/Error.h"

namespace llmir {

struct SamplingOptions {
  float temperature = 0;       ///< 0: greedy, the most probable token
  int32_t topK = 0;            ///< 0: off
  float topP = 1;              ///< 1: off
  float minP = 0;              ///< 0: off
  float repetitionPenalty = 1; ///< over prompt and completion; 1: off
  float presencePenalty = 0;   ///< over the completion; 0: off
  float frequencyPenalty = 0;  ///< over the completion; 0: off
  uint64_t seed = 0;
};

/// An error that names the first option out of range.
Status checkSamplingOptions(const SamplingOptions &options);

class Sampler {
public:
  explicit Sampler(int64_t vocabulary);

  /// The token that follows `tokens`, the first `promptLength` of which are the prompt, given its
  /// logits [vocabulary]. Allocates nothing.
  /// Errors: no finite logit, or one that is no number.
  Expected<int32_t> sample(const SamplingOptions &options, std::span<const float> logits,
                           std::span<const int32_t> tokens, size_t promptLength);

private:
  Candidates candidates;       // reserved for the vocabulary
  std::vector<int32_t> counts; // [vocabulary], zero between calls
};

} // namespace llmir
