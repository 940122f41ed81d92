// Normalisations of rows and of groups of columns.
#include "llmir/reference/Machine.h"

#include <cmath>

namespace llmir::reference {

static Status rmsNorm(llm::RmsNormOp op, Frame &frame) {
  const Tensor &x = frame.tensor(op.getX());
  std::vector<float> weight = frame.weight(op.getWeight()).readVector();
  double eps = op.getEps().convertToDouble();
  size_t group = weight.size();
  Tensor result = makeTensor(x.rows(), x.columns());
  for (size_t start = 0; start < x.values.size(); start += group) {
    double squares = 0;
    for (size_t i = 0; i < group; ++i)
      squares += static_cast<double>(x.values[start + i]) * x.values[start + i];
    double root = std::sqrt(squares / static_cast<double>(group) + eps);
    for (size_t i = 0; i < group; ++i)
      result.values[start + i] = static_cast<float>(x.values[start + i] / root * weight[i]);
  }
  frame.set(op.getResult(), std::move(result));
  return {};
}

static Status layerNorm(llm::LayerNormOp op, Frame &frame) {
  const Tensor &x = frame.tensor(op.getX());
  std::vector<float> weight = frame.weight(op.getWeight()).readVector();
  std::vector<float> bias(weight.size());
  if (op.getBias())
    bias = frame.weight(op.getBias()).readVector();
  double eps = op.getEps().convertToDouble();
  auto columns = static_cast<double>(x.columns());
  Tensor result = makeTensor(x.rows(), x.columns());
  for (int64_t t = 0; t < x.rows(); ++t) {
    const float *row = x.row(t);
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < x.columns(); ++i)
      mean += row[i];
    mean /= columns;
    for (int64_t i = 0; i < x.columns(); ++i)
      variance += (row[i] - mean) * (row[i] - mean);
    double root = std::sqrt(variance / columns + eps);
    for (int64_t i = 0; i < x.columns(); ++i)
      result.row(t)[i] = static_cast<float>((row[i] - mean) / root * weight[i] + bias[i]);
  }
  frame.set(op.getResult(), std::move(result));
  return {};
}

void registerNormOps(OpTable &table) {
  table.add(rmsNorm);
  table.add(layerNorm);
}

} // namespace llmir::reference
