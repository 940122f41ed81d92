// Each sampling step against a definition written another way, and the whole against its promises.
#include "llmir/runtime/sampling/Sampler.h"
#include <cmath>
#include <gmock/gmock.h>
#include <limits>
#include <map>
#include <random>

using namespace llmir;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

Candidates fromProbabilities(std::initializer_list<float> probabilities) {
  Candidates result;
  for (float p : probabilities)
    result.push_back({int32_t(result.size()), std::log(p)});
  return result;
}

std::vector<int32_t> ids(const Candidates &candidates) {
  std::vector<int32_t> result;
  for (const Candidate &candidate : candidates)
    result.push_back(candidate.id);
  return result;
}

TEST(Candidates, TopKBreaksTiesById) {
  Candidates c = {{0, 1}, {1, 3}, {2, 3}, {3, 2}, {4, 3}};
  keepTopK(c, 0);
  EXPECT_EQ(c.size(), 5u);
  keepTopK(c, 2);
  EXPECT_THAT(ids(c), ElementsAre(1, 2));
}

TEST(Candidates, TopPKeepsTheSmallestSet) {
  auto kept = [](float mass) {
    Candidates c = fromProbabilities({0.1f, 0.4f, 0.2f, 0.3f});
    keepTopP(c, mass);
    return ids(c);
  };
  EXPECT_THAT(kept(0), ElementsAre(1));
  EXPECT_THAT(kept(0.39f), ElementsAre(1));
  EXPECT_THAT(kept(0.65f), ElementsAre(1, 3));
  EXPECT_THAT(kept(0.75f), ElementsAre(1, 3, 2));
  EXPECT_THAT(kept(0.95f), ElementsAre(1, 3, 2, 0));
  EXPECT_THAT(kept(1), ElementsAre(0, 1, 2, 3));
}

TEST(Candidates, TopPOfAFlatDistributionNeedsMany) {
  Candidates c;
  for (int32_t id = 0; id < 5000; ++id)
    c.push_back({id, 1});
  keepTopP(c, 0.5f);
  EXPECT_EQ(c.size(), 2500u);
  EXPECT_EQ(c.back().id, 2499);
}

TEST(Candidates, MinPIsRelativeToTheBest) {
  Candidates c = fromProbabilities({0.1f, 0.5f, 0.24f, 0.16f});
  keepMinP(c, 0.3f);
  EXPECT_THAT(ids(c), ElementsAre(1, 2, 3));
}

TEST(Candidates, Penalties) {
  Candidates c = {{0, 2}, {1, -2}, {2, 2}, {3, 1}};
  std::vector<int32_t> scratch(4, 0), tokens = {0, 1, 0};
  penalizeRepetition(c, tokens, 2, scratch);
  EXPECT_FLOAT_EQ(c[0].logit, 1);
  EXPECT_FLOAT_EQ(c[1].logit, -4);
  EXPECT_FLOAT_EQ(c[2].logit, 2);
  penalizeFrequency(c, tokens, 0.5f, 0.25f, scratch);
  EXPECT_FLOAT_EQ(c[0].logit, 0); // 1 - 0.5 - 2 * 0.25
  EXPECT_FLOAT_EQ(c[1].logit, -4.75f);
  EXPECT_FLOAT_EQ(c[3].logit, 1);
  EXPECT_THAT(scratch, ElementsAre(0, 0, 0, 0));
}

TEST(Candidates, DrawFollowsTheCumulativeDistribution) {
  Candidates c = fromProbabilities({0.25f, 0.5f, 0.25f});
  EXPECT_EQ(draw(c, 0), 0);
  EXPECT_EQ(draw(c, 0.24), 0);
  EXPECT_EQ(draw(c, 0.26), 1);
  EXPECT_EQ(draw(c, 0.74), 1);
  EXPECT_EQ(draw(c, 0.76), 2);
  EXPECT_EQ(draw(c, 0.9999999999), 2);
}

TEST(Sampler, GreedyTakesTheBest) {
  Sampler sampler(4);
  std::vector<float> logits = {0, 5, 5, -1};
  EXPECT_EQ(*sampler.sample({}, logits, std::vector<int32_t>{3}, 1), 1);
  SamplingOptions options;
  options.repetitionPenalty = 1.5f;
  EXPECT_EQ(*sampler.sample(options, logits, std::vector<int32_t>{1}, 1), 2);
  options = {};
  options.presencePenalty = 1; // over the completion alone
  EXPECT_EQ(*sampler.sample(options, logits, std::vector<int32_t>{1}, 1), 1);
  EXPECT_EQ(*sampler.sample(options, logits, std::vector<int32_t>{0, 1}, 1), 2);
}

TEST(Sampler, GreedyLooksAtEveryLogit) {
  std::mt19937 random(7);
  const std::vector<int32_t> tokens = {0};
  for (size_t count : {1, 31, 32, 33, 64, 1007}) {
    Sampler sampler{int64_t(count)};
    for (size_t place = 0; place < count; place += 1 + place / 40) {
      std::vector<float> logits(count);
      for (float &logit : logits)
        logit = -float(random() % 50);
      logits[place] = 1;
      if (place + 5 < count)
        logits[place + 5] = 1; // of equal ones the lowest id
      EXPECT_EQ(*sampler.sample({}, logits, tokens, 1), int32_t(place));
      logits[place] = NAN;
      EXPECT_THAT(sampler.sample({}, logits, tokens, 1).error().message,
                  HasSubstr("token " + std::to_string(place) + " is not a number"));
    }
  }
}

TEST(Sampler, FrequenciesFollowTheSoftmaxAtTemperature) {
  const std::vector<float> logits = {0, 1, 2};
  for (float temperature : {0.5f, 1.0f, 2.0f}) {
    Sampler sampler(3);
    SamplingOptions options;
    options.temperature = temperature;
    std::map<int32_t, int> counts;
    const int draws = 20000;
    for (int i = 0; i < draws; ++i) {
      options.seed = uint64_t(i);
      ++counts[*sampler.sample(options, logits, std::vector<int32_t>{0}, 1)];
    }
    double total = 0;
    for (float logit : logits)
      total += std::exp(logit / temperature);
    for (int id = 0; id < 3; ++id)
      EXPECT_NEAR(counts[id] / double(draws), std::exp(logits[id] / temperature) / total, 0.012);
  }
}

TEST(Sampler, SameSeedSameTokensOnAnySampler) {
  std::mt19937 random(3);
  std::vector<float> logits(1000);
  for (float &logit : logits)
    logit = float(random() % 1000) / 200;
  SamplingOptions options;
  options.temperature = 0.8f;
  options.topK = 40;
  options.topP = 0.9f;
  options.minP = 0.01f;
  options.repetitionPenalty = 1.1f;
  auto generate = [&](uint64_t seed) {
    Sampler sampler(1000);
    std::vector<int32_t> tokens = {5};
    options.seed = seed;
    for (int i = 0; i < 30; ++i)
      tokens.push_back(*sampler.sample(options, logits, tokens, 1));
    return tokens;
  };
  EXPECT_EQ(generate(1), generate(1));
  EXPECT_NE(generate(1), generate(2));
}

TEST(Sampler, BrokenLogitsAreErrors) {
  Sampler sampler(2);
  std::vector<int32_t> tokens = {0};
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_THAT(sampler.sample({}, std::vector<float>{1, NAN}, tokens, 1).error().message,
              HasSubstr("token 1 is not a number"));
  EXPECT_FALSE(sampler.sample({}, std::vector<float>{inf, 0}, tokens, 1));
  EXPECT_FALSE(sampler.sample({}, std::vector<float>{-inf, -inf}, tokens, 1));
  EXPECT_EQ(*sampler.sample({}, std::vector<float>{-inf, 0}, tokens, 1), 1);
}

TEST(Sampler, OptionsOutOfRange) {
  SamplingOptions options;
  EXPECT_TRUE(checkSamplingOptions(options));
  options.topP = 1.5f;
  EXPECT_EQ(checkSamplingOptions(options).error().message, "top-p is 1.5, from 0 to 1 is possible");
  options = {};
  options.temperature = NAN;
  EXPECT_FALSE(checkSamplingOptions(options));
}

} // namespace
