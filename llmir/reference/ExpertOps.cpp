// Mixtures of experts: the whole op, and the ops that it expands to. The whole op rounds to f32
// where a value would stand between those: expanding it changes no bit.
#include "llmir/reference/DotRows.h"
#include "llmir/reference/Machine.h"
#include "llmir/reference/Parallel.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace llmir::reference {

namespace {
/// What the tokens are given to: [token][rank].
struct Routing {
  std::vector<int32_t> experts;
  std::vector<double> weights;
};

struct RoutingRule {
  llm::Scoring scoring;
  int64_t ranks;
  bool renormalise;
  double scale;
};
} // namespace

/// The best experts of one row of logits, in descending order, of equal ones the lower number
/// first. Logits that are no numbers come last and may name expert 0 again.
static std::vector<int32_t> bestExperts(const float *logits, int64_t experts, int64_t ranks) {
  std::vector<float> left(logits, logits + experts);
  std::vector<int32_t> best;
  for (int64_t rank = 0; rank < ranks; ++rank) {
    float largest = -INFINITY;
    int32_t index = 0;
    for (int64_t i = 0; i < experts; ++i)
      if (left[i] > largest) {
        largest = left[i];
        index = static_cast<int32_t>(i);
      }
    left[index] = -INFINITY;
    best.push_back(index);
  }
  return best;
}

static Routing routeTokens(const RoutingRule &rule, const Tensor &router) {
  Routing routing;
  for (int64_t t = 0; t < router.rows(); ++t) {
    const float *logits = router.row(t);
    std::vector<int32_t> best = bestExperts(logits, router.columns(), rule.ranks);
    auto score = [&](int32_t expert) {
      return rule.scoring == llm::Scoring::Softmax
                 ? std::exp(static_cast<double>(logits[expert]) - logits[best[0]])
                 : 1 / (1 + std::exp(-static_cast<double>(logits[expert])));
    };
    double total = 0;
    if (rule.renormalise)
      for (int32_t expert : best)
        total += score(expert);
    else if (rule.scoring == llm::Scoring::Softmax)
      for (int64_t i = 0; i < router.columns(); ++i)
        total += score(static_cast<int32_t>(i));
    else
      total = 1;
    for (int32_t expert : best) {
      routing.experts.push_back(expert);
      routing.weights.push_back(static_cast<float>(score(expert) / total * rule.scale));
    }
  }
  return routing;
}

/// The product of each row (token and rank) with its expert's matrix, rounded: [row][weight's
/// rows]. `x` has a row for every `rowsPerX` of them.
static std::vector<double> multiplyByExperts(const std::vector<double> &x, int64_t rowsPerX,
                                             const std::vector<int32_t> &experts,
                                             const Weight &weight, int64_t n, int threads) {
  std::vector<std::vector<int64_t>> rowsOf(weight.rows / n);
  for (size_t row = 0; row < experts.size(); ++row)
    rowsOf[experts[row]].push_back(static_cast<int64_t>(row));
  std::vector<double> result(experts.size() * n);
  const int64_t k = weight.columns;
  // One row of one expert's matrix at a time: never a full copy of the weights.
  parallelFor(threads, weight.rows, [&](int64_t weightRow) {
    const std::vector<int64_t> &rows = rowsOf[weightRow / n];
    if (rows.empty())
      return;
    std::vector<float> values(k);
    weight.readRow(weightRow, values.data());
    std::vector<double> w(values.begin(), values.end());
    for (int64_t row : rows) {
      double &sum = result[row * n + weightRow % n];
      dotRows(x.data() + row / rowsPerX * k, w.data(), k, 1, k, &sum);
      sum = static_cast<float>(sum);
    }
  });
  return result;
}

static Tensor combine(const std::vector<double> &x, const std::vector<double> &weights,
                      int64_t tokens, int64_t columns) {
  Tensor result = makeTensor(tokens, columns);
  const int64_t ranks = tokens ? static_cast<int64_t>(weights.size()) / tokens : 0;
  for (int64_t t = 0; t < tokens; ++t)
    for (int64_t i = 0; i < columns; ++i) {
      double sum = 0;
      for (int64_t row = t * ranks; row < (t + 1) * ranks; ++row)
        sum += weights[row] * x[row * columns + i];
      result.row(t)[i] = static_cast<float>(sum);
    }
  return result;
}

static Status moe(llm::MoeOp op, Frame &frame) {
  const Tensor &x = frame.tensor(op.getX()), &router = frame.tensor(op.getRouter());
  if (Status status = checkRows(op, router.rows(), x.rows()); !status)
    return status;
  const int64_t inner = op.getGate().getType().getDimSize(1), hidden = x.columns();
  const auto ranks = static_cast<int64_t>(op.getTopK());
  Routing routing = routeTokens(
      {op.getScoring(), ranks, op.getRenormalise(), op.getScale().convertToDouble()}, router);
  auto multiply = [&](const std::vector<double> &input, int64_t rowsPerX, mlir::Value weight,
                      int64_t n) {
    return multiplyByExperts(input, rowsPerX, routing.experts, frame.weight(weight), n,
                             frame.machine.getThreads());
  };
  std::vector<double> input = toDoubles(x), gate = multiply(input, ranks, op.getGate(), inner),
                      up = multiply(input, ranks, op.getUp(), inner);
  for (size_t i = 0; i < gate.size(); ++i)
    gate[i] = static_cast<float>(activate(op.getActivation(), gate[i]) * up[i]);
  frame.set(op.getResult(),
            combine(multiply(gate, 1, op.getDown(), hidden), routing.weights, x.rows(), hidden));
  return {};
}

static Status route(llm::ExpertsRouteOp op, Frame &frame) {
  const Tensor &router = frame.tensor(op.getRouter());
  const int64_t ranks = op.getWeights().getType().getDimSize(1);
  Routing routing = routeTokens(
      {op.getScoring(), ranks, op.getRenormalise(), op.getScale().convertToDouble()}, router);
  Tensor experts{{router.rows(), ranks}, Format::I32}, weights = makeTensor(router.rows(), ranks);
  experts.ints = std::move(routing.experts);
  std::copy(routing.weights.begin(), routing.weights.end(), weights.values.begin());
  frame.set(op.getExperts(), std::move(experts));
  frame.set(op.getWeights(), std::move(weights));
  return {};
}

static Status group(llm::ExpertsGroupOp op, Frame &frame) {
  Tensor order = frame.tensor(op.getExperts());
  const std::vector<int32_t> experts = order.ints;
  for (int32_t expert : experts)
    if (expert < 0 || expert >= static_cast<int64_t>(op.getOf()))
      return failAt(op, "expert {} of {}", expert, op.getOf());
  std::iota(order.ints.begin(), order.ints.end(), 0);
  std::ranges::stable_sort(order.ints, {}, [&](int32_t row) { return experts[row]; });
  frame.set(op.getOrder(), std::move(order));
  return {};
}

static Status linear(llm::ExpertsLinearOp op, Frame &frame) {
  const Tensor &x = frame.tensor(op.getX()), &experts = frame.tensor(op.getExperts());
  mlir::RankedTensorType weight = op.getWeight().getType();
  const int64_t ranks = experts.columns(),
                rowsPerX = op.getX().getType().getRank() == 3 ? 1 : ranks;
  if (Status status = checkRows(op, x.rows() * rowsPerX, experts.rows() * ranks); !status)
    return status;
  for (int32_t expert : experts.ints)
    if (expert < 0 || expert >= weight.getDimSize(0))
      return failAt(op, "expert {} of {}", expert, weight.getDimSize(0));
  std::vector<double> products = multiplyByExperts(
      frame.machine.inputsOf(x, op.getWeight()), rowsPerX, experts.ints,
      frame.weight(op.getWeight()), weight.getDimSize(1), frame.machine.getThreads());
  Tensor result = makeTensor(experts.rows() * ranks, weight.getDimSize(1));
  std::copy(products.begin(), products.end(), result.values.begin());
  frame.set(op.getResult(), std::move(result));
  return {};
}

static Status combineOp(llm::ExpertsCombineOp op, Frame &frame) {
  const Tensor &x = frame.tensor(op.getX()), &weights = frame.tensor(op.getWeights());
  if (Status status = checkRows(op, x.rows(), weights.rows() * weights.columns()); !status)
    return status;
  frame.set(op.getResult(), combine(toDoubles(x), toDoubles(weights), weights.rows(), x.columns()));
  return {};
}

void registerExpertOps(OpTable &table) {
  table.add(moe);
  table.add(route);
  table.add(group);
  table.add(linear);
  table.add(combineOp);
}

} // namespace llmir::reference
