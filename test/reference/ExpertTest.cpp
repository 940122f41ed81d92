// Mixtures of experts against the formula written down once more, and the ops that llm.moe expands
// to against llm.moe.
#include "TestModel.h"
#include "llmir/transforms/Passes.h"
#include "mlir/Pass/PassManager.h"

#include <algorithm>
#include <numeric>

using namespace llmir;
using namespace llmir::reference;

namespace {

constexpr int64_t experts = 5, inner = 3, hidden = 4;

/// A mixture over all inputs whose router is the product with a matrix of its own.
struct Mixture {
  std::string scoring;
  int64_t top;
  bool renormalise;
  double scale;
  Rows x = randomRows(6, hidden, 3);
  std::vector<float> router = randomVector(experts * hidden, 4, 2),
                     gate = randomVector(experts * inner * hidden, 5),
                     up = randomVector(experts * inner * hidden, 6),
                     down = randomVector(experts * hidden * inner, 7);

  std::unique_ptr<TestModel> model() const {
    const std::string gates = "tensor<5x3x4xf32>", downs = "tensor<5x4x3xf32>";
    std::string body =
        "%r = llm.get_weight @router : tensor<5x4xf32>\n"
        "%g = llm.get_weight @gate : " +
        gates + "\n%u = llm.get_weight @up : " + gates + "\n%d = llm.get_weight @down : " + downs +
        "\n%l = llm.linear %x, %r : (tensor<?x4xf32>, tensor<5x4xf32>) -> tensor<?x5xf32>\n"
        "%y = llm.moe silu %x, %g, %u, %d by " +
        scoring + " %l top " + std::to_string(top) + " {" + (renormalise ? "renormalise, " : "") +
        "scale = " + std::to_string(scale) + " : f64} : (tensor<?x4xf32>, " + gates + ", " + gates +
        ", " + downs + ", tensor<?x5xf32>) -> tensor<?x4xf32>";
    auto model =
        std::make_unique<TestModel>(x,
                                    "llm.weight @router : tensor<5x4xf32> from \"router\"\n"
                                    "llm.weight @gate : tensor<5x3x4xf32> from \"gate\"\n"
                                    "llm.weight @up : tensor<5x3x4xf32> from \"up\"\n"
                                    "llm.weight @down : tensor<5x4x3xf32> from \"down\"",
                                    body, hidden);
    model->addFloats("router", {experts, hidden}, router);
    model->addFloats("gate", {experts, inner, hidden}, gate);
    model->addFloats("up", {experts, inner, hidden}, up);
    model->addFloats("down", {experts, hidden, inner}, down);
    return model;
  }

  /// Every expert for every token, then those that count: dense on purpose.
  std::vector<double> expected(const std::vector<float> &row) const {
    auto product = [](const float *matrix, int64_t n, const std::vector<double> &v) {
      std::vector<double> result(n);
      for (int64_t i = 0; i < n; ++i)
        for (size_t j = 0; j < v.size(); ++j)
          result[i] += matrix[i * v.size() + j] * v[j];
      return result;
    };
    std::vector<double> in(row.begin(), row.end()), scores = product(router.data(), experts, in);
    double total = 0;
    for (double &score : scores)
      total += score = scoring == "softmax" ? std::exp(score) : 1 / (1 + std::exp(-score));
    if (scoring == "softmax")
      for (double &score : scores)
        score /= total;
    std::vector<size_t> order(experts);
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(),
              [&](size_t a, size_t b) { return scores[a] > scores[b]; });
    order.resize(top);
    double chosen = 0;
    for (size_t expert : order)
      chosen += scores[expert];
    std::vector<double> result(hidden);
    for (size_t expert : order) {
      auto g = product(&gate[expert * inner * hidden], inner, in),
           u = product(&up[expert * inner * hidden], inner, in);
      for (int64_t i = 0; i < inner; ++i)
        g[i] = g[i] / (1 + std::exp(-g[i])) * u[i];
      auto d = product(&down[expert * hidden * inner], hidden, g);
      for (int64_t i = 0; i < hidden; ++i)
        result[i] += scores[expert] / (renormalise ? chosen : 1) * scale * d[i];
    }
    return result;
  }
};

const Mixture mixtures[] = {{"softmax", 2, true, 1},
                            {"softmax", 3, false, 1},
                            {"sigmoid", 1, false, 0.5},
                            {"sigmoid", 5, true, 2.5}};

} // namespace

TEST(Moe, IsTheWeightedSumOfTheBestExperts) {
  for (const Mixture &mixture : mixtures) {
    Tensor y = mixture.model()->run();
    for (size_t t = 0; t < mixture.x.size(); ++t)
      expectRow(y, static_cast<int64_t>(t), mixture.expected(mixture.x[t]));
    Tensor threaded = mixture.model()->run(0, 3);
    EXPECT_EQ(y.values, threaded.values);
  }
}

TEST(Moe, IsWhatItExpandsTo) {
  for (const Mixture &mixture : mixtures) {
    Tensor whole = mixture.model()->run();
    auto expanded = mixture.model();
    mlir::PassManager passes(expanded->model()->getContext(), llm::ModelOp::getOperationName());
    passes.addPass(llm::createExpandExpertsPass());
    ASSERT_TRUE(mlir::succeeded(passes.run(expanded->model())));
    EXPECT_EQ(expanded->run().values, whole.values);
  }
}

TEST(Moe, PrefersTheFirstOfEqualExperts) {
  TestModel model({{1, 1, 1, 7, 7}}, "llm.weight @w : tensor<5x1x5xf32> from \"w\"",
                  "%e, %s = llm.experts.route softmax %x : (tensor<?x5xf32>) -> "
                  "(tensor<?x4xi32>, tensor<?x4xf32>)\n"
                  "%o = llm.experts.group %e of 5 : tensor<?x4xi32>\n"
                  "%w = llm.get_weight @w : tensor<5x1x5xf32>\n"
                  "%d = llm.experts.linear %x, %w, %e, %o : (tensor<?x5xf32>, tensor<5x1x5xf32>, "
                  "tensor<?x4xi32>, tensor<?x4xi32>) -> tensor<?x4x1xf32>\n"
                  "%y = llm.experts.combine %d, %s : (tensor<?x4x1xf32>, tensor<?x4xf32>) -> "
                  "tensor<?x1xf32>",
                  1);
  // Expert e gives 10^e.
  std::vector<float> w(25);
  for (int e = 0; e < 5; ++e)
    w[5 * e] = static_cast<float>(std::pow(10, e));
  model.addFloats("w", {5, 1, 5}, w);
  double total = 2 + 3 * std::exp(-6.0);
  expectRow(model.run(), 0, {(1000 + 10000 + std::exp(-6.0) * (1 + 10)) / total});
}
