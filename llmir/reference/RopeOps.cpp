// Rotary position embedding, angles in f64.
#include "llmir/reference/Machine.h"

#include <cmath>

namespace llmir::reference {

static Status rope(llm::RopeOp op, Frame &frame) {
  const Tensor &x = frame.tensor(op.getX());
  const Tensor &positions = frame.tensor(op.getPositions());
  if (Status status = checkRows(op, positions.rows(), x.rows()); !status)
    return status;
  llvm::SmallVector<llm::RopeAttr> rotations = op.getRotations();
  int64_t layer = op.getLayer() ? frame.index(op.getLayer()) : 0;
  if (layer < 0 || layer >= static_cast<int64_t>(rotations.size()))
    return failAt(op, "layer {} of a table of {} rotations", layer, rotations.size());
  llm::RopeAttr rope = rotations[layer];
  int64_t headDim = op.getHeadDim(), pairs = rope.getDim() / 2;
  llvm::ArrayRef<float> factors = rope.getFactors();
  double theta = rope.getTheta().getValueAsDouble();
  double magnitude = rope.getMagnitude().getValueAsDouble();
  bool half = rope.getStyle() == llm::RopeStyle::Half;

  Tensor result = x;
  for (int64_t t = 0; t < x.rows(); ++t)
    for (int64_t i = 0; i < pairs; ++i) {
      double exponent = -2.0 * static_cast<double>(i) / static_cast<double>(rope.getDim());
      double angle = positions.ints[t] * std::pow(theta, exponent);
      if (!factors.empty())
        angle /= factors[i];
      double cosine = std::cos(angle) * magnitude, sine = std::sin(angle) * magnitude;
      int64_t first = half ? i : 2 * i, second = half ? i + pairs : 2 * i + 1;
      for (int64_t head = 0; head < x.columns(); head += headDim) {
        double a = x.row(t)[head + first], b = x.row(t)[head + second];
        result.row(t)[head + first] = static_cast<float>(a * cosine - b * sine);
        result.row(t)[head + second] = static_cast<float>(a * sine + b * cosine);
      }
    }
  frame.set(op.getResult(), std::move(result));
  return {};
}

void registerRopeOps(OpTable &table) { table.add(rope); }

} // namespace llmir::reference
