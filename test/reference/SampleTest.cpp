// llm.sample against runtime/sampling, which it defines once more, and against numbers worked out
// by hand.
#include "TestModel.h"
#include "llmir/runtime/sampling/Candidates.h"

using namespace llmir;
using namespace llmir::reference;

namespace {

/// Logits [vocabulary] and a point for each row; gives the ids.
struct Sampling {
  std::string attributes;
  Rows logits;
  std::vector<float> points;

  Expected<std::vector<float>> run() const {
    const auto rows = std::to_string(logits.size()), size = std::to_string(logits[0].size());
    // Tables by token: the points, and the ids as numbers, so that @step can give them.
    TestModel model(logits,
                    "llm.weight @points : tensor<" + rows + "x1xf32> from \"points\"\n" +
                        "llm.weight @ids : tensor<" + size + "x1xf32> from \"ids\"",
                    "%pt = llm.get_weight @points : tensor<" + rows + "x1xf32>\n" +
                        "%it = llm.get_weight @ids : tensor<" + size + "x1xf32>\n" +
                        "%p = llm.embed %tokens, %pt : (tensor<?xi32>, tensor<" + rows +
                        "x1xf32>) -> tensor<?x1xf32>\n%s = llm.sample %x, %p {" + attributes +
                        "} : (tensor<?x" + size + "xf32>, tensor<?x1xf32>) -> tensor<?xi32>\n" +
                        "%y = llm.embed %s, %it : (tensor<?xi32>, tensor<" + size +
                        "x1xf32>) -> tensor<?x1xf32>",
                    1);
    std::vector<float> ids;
    for (size_t i = 0; i < logits[0].size(); ++i)
      ids.push_back(static_cast<float>(i));
    model.addFloats("points", {static_cast<int64_t>(logits.size()), 1}, points);
    model.addFloats("ids", {static_cast<int64_t>(ids.size()), 1}, ids);
    auto result = model.tryRun();
    if (!result)
      return forward(result);
    return result->values;
  }
};

} // namespace

TEST(Sample, FiltersInOrder) {
  // Probabilities 0.5, 0.25, 0.15, 0.1 of ids 2, 0, 3, 1.
  auto row = [](double p) { return static_cast<float>(std::log(p)); };
  auto ids = [&](const std::string &attributes, std::vector<float> points) {
    Rows logits(points.size(), {row(0.25), row(0.1), row(0.5), row(0.15)});
    return Sampling{attributes, logits, points}.run().value();
  };
  using testing::ElementsAre;
  // Greedy, whatever the rest says.
  EXPECT_THAT(ids("temperature = 0.0 : f64, top_k = 3 : i64", {0.99f}), ElementsAre(2));
  // Without filters by id: 0 up to 0.25, 1 up to 0.35, 2 up to 0.85, 3.
  EXPECT_THAT(ids("temperature = 1.0 : f64", {0.0f, 0.24f, 0.26f, 0.34f, 0.36f, 0.84f, 0.86f}),
              ElementsAre(0, 0, 1, 1, 2, 2, 3));
  // With top-k by rank: 2 up to 2/3, 0.
  EXPECT_THAT(ids("temperature = 1.0 : f64, top_k = 2 : i64", {0.66f, 0.67f, 0.99f}),
              ElementsAre(2, 0, 0));
  // The three best reach 0.9: 2 up to 5/9, 0 up to 7.5/9, 3.
  EXPECT_THAT(ids("temperature = 1.0 : f64, top_p = 0.89 : f64", {0.55f, 0.56f, 0.83f, 0.84f}),
              ElementsAre(2, 0, 0, 3));
  // At least 0.4 of the best: 0 up to 1/3, then 2.
  EXPECT_THAT(ids("temperature = 1.0 : f64, min_p = 0.4 : f64", {0.33f, 0.34f, 0.99f}),
              ElementsAre(0, 2, 2));
  // The temperature comes last: of 0.5 and 0.25, squared, 0.8 and 0.2 are left.
  EXPECT_THAT(ids("temperature = 0.5 : f64, top_k = 2 : i64", {0.79f, 0.81f}), ElementsAre(2, 0));
}

TEST(Sample, IsWhatTheRuntimeDoes) {
  constexpr int64_t size = 70;
  struct Case {
    int32_t topK;
    float topP, minP, temperature;
  };
  for (Case c : {Case{0, 1, 0, 1}, Case{10, 1, 0, 0.7f}, Case{0, 0.8f, 0, 1.5f},
                 Case{0, 1, 0.1f, 1}, Case{40, 0.9f, 0.05f, 0.8f}, Case{70, 1, 0.3f, 2}}) {
    Sampling sampling{fmt::format("temperature = {:e} : f64, top_k = {} : i64, top_p = {:e} : f64, "
                                  "min_p = {:e} : f64",
                                  double(c.temperature), c.topK, double(c.topP), double(c.minP)),
                      randomRows(50, size, 11, 4),
                      {}};
    std::vector<float> expected;
    for (size_t r = 0; r < sampling.logits.size(); ++r) {
      sampling.logits[r][r % size] = sampling.logits[r][(r + 7) % size]; // equal ones
      sampling.points.push_back(static_cast<float>(r) / 50);
      Candidates candidates;
      for (int32_t id = 0; id < size; ++id)
        candidates.push_back({id, sampling.logits[r][id]});
      keepTopK(candidates, c.topK);
      keepTopP(candidates, c.topP);
      keepMinP(candidates, c.minP);
      applyTemperature(candidates, c.temperature);
      expected.push_back(static_cast<float>(draw(candidates, sampling.points[r])));
    }
    EXPECT_EQ(sampling.run().value(), expected) << sampling.attributes;
  }
}

TEST(Sample, RefusesWhatIsNoDistribution) {
  auto message = [](std::vector<float> logits, float point) {
    auto result = Sampling{"temperature = 1.0 : f64", {std::move(logits)}, {point}}.run();
    return result ? "" : result.error().message;
  };
  EXPECT_THAT(message({0, NAN}, 0.5f), testing::HasSubstr("the logit of token 1 is not a number"));
  EXPECT_THAT(message({0, INFINITY}, 0.5f), testing::HasSubstr("token 1 is not finite"));
  EXPECT_THAT(message({-INFINITY, -INFINITY}, 0.5f), testing::HasSubstr("is not finite"));
  EXPECT_THAT(message({0, 1}, 1), testing::HasSubstr("point 0 is 1, it must be"));
  EXPECT_THAT(message({0, 1}, -0.5f), testing::HasSubstr("point 0 is -0.5, it must be"));
  EXPECT_EQ(message({0, -INFINITY}, 0.5f), "");
}
