// Products with weights, and the quantisation of their activations. A weight is dequantised eight
// rows at a time, so no full copy of it ever exists.
#include "llmir/reference/DotRows.h"
#include "llmir/reference/Machine.h"
#include "llmir/reference/Parallel.h"

#include <cstring>

namespace llmir::reference {

/// Row `t` of quantised activations: integer times scale is exact in f64. Planes as in
/// quant/Format.h.
template <typename Int> static void readActivations(const uint8_t *row, int64_t k, double *dst) {
  const uint8_t *scales = row + k * sizeof(Int);
  for (int64_t i = 0; i < k; ++i) {
    Int quant;
    float scale;
    std::memcpy(&quant, row + i * sizeof(Int), sizeof(Int));
    std::memcpy(&scale, scales + i / 32 * sizeof(float), sizeof(float));
    dst[i] = static_cast<double>(quant) * scale;
  }
}

std::vector<double> toDoubles(const Tensor &x) {
  if (x.format == Format::F32)
    return {x.values.begin(), x.values.end()};
  std::vector<double> doubles(x.rows() * x.columns());
  int64_t bytes = rowBytes(x.format, x.columns());
  for (int64_t t = 0; t < x.rows(); ++t) {
    auto read = x.format == Format::A8 ? readActivations<int8_t> : readActivations<int16_t>;
    read(x.bytes.data() + t * bytes, x.columns(), doubles.data() + t * x.columns());
  }
  return doubles;
}

static Tensor quantizeRows(const Tensor &x, Format format) {
  int64_t bytes = rowBytes(format, x.columns());
  Tensor result{x.shape, format};
  result.bytes.resize(x.rows() * bytes);
  for (int64_t t = 0; t < x.rows(); ++t)
    quantizeActivations(format, x.row(t), result.bytes.data() + t * bytes, x.columns());
  return result;
}

std::vector<double> Machine::inputsOf(const Tensor &x, mlir::Value weight) const {
  const bool isRounded = options.activations != Format::F32 && x.format == Format::F32 &&
                         llm::isQuantized(weight.getType());
  return toDoubles(isRounded ? quantizeRows(x, options.activations) : x);
}

static Status linear(llm::LinearOp op, Frame &frame) {
  const Tensor &x = frame.tensor(op.getX());
  const Weight &weight = frame.weight(op.getWeight());
  std::vector<float> bias(weight.rows);
  if (op.getBias())
    bias = frame.weight(op.getBias()).readVector();
  std::vector<double> inputs = frame.machine.inputsOf(x, op.getWeight());
  Tensor result = makeTensor(x.rows(), weight.rows);

  constexpr int64_t panelRows = 8;
  int64_t k = weight.columns;
  auto computePanel = [&](int64_t panel) {
    int64_t first = panel * panelRows, count = std::min(panelRows, weight.rows - first);
    std::vector<float> row(k);
    std::vector<double> rows(count * k);
    for (int64_t n = 0; n < count; ++n) {
      weight.readRow(first + n, row.data());
      std::copy(row.begin(), row.end(), rows.begin() + n * k);
    }
    for (int64_t t = 0; t < x.rows(); ++t) {
      double sums[panelRows];
      dotRows(inputs.data() + t * k, rows.data(), k, count, k, sums);
      for (int64_t n = 0; n < count; ++n)
        result.row(t)[first + n] = static_cast<float>(sums[n] + bias[first + n]);
    }
  };
  parallelFor(frame.machine.getThreads(), (weight.rows + panelRows - 1) / panelRows, computePanel);
  frame.set(op.getResult(), std::move(result));
  return {};
}

static Status quantize(llm::QuantizeOp op, Frame &frame) {
  const Tensor &x = frame.tensor(op.getX());
  Format format = *llm::formatOf(op.getResult().getType().getElementType());
  frame.set(op.getResult(), quantizeRows(x, format));
  return {};
}

void registerLinearOps(OpTable &table) {
  table.add(linear);
  table.add(quantize);
}

} // namespace llmir::reference
