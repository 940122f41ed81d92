// ATen ops that scale numbers by what they have in common: softmax and norms. All are written out
// in primitive ops, and computed in f32 where the numbers have 16 bits.
#include "llmir/frontend/torch/Call.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include <limits>

using namespace mlir;
namespace llmir::frontend::torch {

using Function = llvm::function_ref<Value(const Scalars &, ValueRange)>;

static Tensor apply(TensorBuilder &g, ArrayRef<Tensor> inputs, Function function) {
  return g.map(inputs, inputs[0].sizes, inputs[0].element(),
               [&](OpBuilder &b, Location loc, ValueRange v) { return function({b, loc}, v); });
}

static Tensor subtract(TensorBuilder &g, const Tensor &a, const Tensor &b) {
  return apply(g, {a, b}, [](const Scalars &s, ValueRange v) { return s.subtract(v[0], v[1]); });
}
static Tensor multiply(TensorBuilder &g, const Tensor &a, const Tensor &b) {
  return apply(g, {a, b}, [](const Scalars &s, ValueRange v) { return s.multiply(v[0], v[1]); });
}
static Tensor exponential(TensorBuilder &g, const Tensor &a) {
  return apply(g, a, [](const Scalars &s, ValueRange v) -> Value {
    return math::ExpOp::create(s.builder, s.loc, v[0]);
  });
}

Tensor softmax(TensorBuilder &g, const Tensor &scores, int64_t dim) {
  const Tensor x = g.cast(scores, computeType(scores.element()));
  const Tensor powers =
      exponential(g, subtract(g, x, reduceOver(g, x, dim, /*keep=*/true, Reduction::Max)));
  const Tensor sum = reduceOver(g, powers, dim, /*keep=*/true, Reduction::Sum);
  const Tensor result =
      apply(g, {powers, sum}, [](const Scalars &s, ValueRange v) { return s.divide(v[0], v[1]); });
  return g.cast(result, scores.element());
}

namespace {

/// Converted first where the result has another type, as torch does.
void softmaxOp(Call &c) {
  const Tensor input = c.tensor("self");
  const Type element = c.resultElement();
  if (!isa<FloatType>(element))
    refuse("is supported for floats, the result is {}", nameOf(c.resultMeta().type));
  c.give(softmax(c.g, c.g.cast(input, element), c.dimension("dim", input.rank())));
}

void logSoftmax(Call &c) {
  TensorBuilder &g = c.g;
  const Type element = c.resultElement();
  const Tensor x = g.cast(c.tensor("self"), computeType(element));
  if (!isa<FloatType>(element))
    refuse("is supported for floats, the result is {}", nameOf(c.resultMeta().type));
  const int64_t dim = c.dimension("dim", x.rank());
  const Tensor shifted = subtract(g, x, reduceOver(g, x, dim, /*keep=*/true, Reduction::Max));
  const Tensor sum = reduceOver(g, exponential(g, shifted), dim, /*keep=*/true, Reduction::Sum);
  const Tensor log = apply(g, sum, [](const Scalars &s, ValueRange v) -> Value {
    return math::LogOp::create(s.builder, s.loc, v[0]);
  });
  c.give(g.cast(subtract(g, shifted, log), element));
}

/// The trailing dimensions that are normalised.
SmallVector<int64_t> normalizedDims(Call &c, const Tensor &input) {
  const auto count = static_cast<int64_t>(c.integers("normalized_shape").size());
  if (count < 1 || count > input.rank())
    refuse("the argument normalized_shape has {} sizes for {} dimensions", count, input.rank());
  return llvm::to_vector(llvm::seq<int64_t>(input.rank() - count, input.rank()));
}

/// 1 / sqrt(mean(x²) + eps)
Tensor inverseMagnitude(TensorBuilder &g, const Tensor &x, ArrayRef<int64_t> dims, double epsilon) {
  const Tensor mean = sumOver(g, multiply(g, x, x), dims, /*keep=*/true, /*isMean=*/true);
  const Tensor shifted = apply(g, mean, [&](const Scalars &s, ValueRange v) {
    return s.add(v[0], s.number(v[0].getType(), epsilon));
  });
  return apply(g, shifted, [](const Scalars &s, ValueRange v) -> Value {
    return math::RsqrtOp::create(s.builder, s.loc, v[0]);
  });
}

/// x * weight + bias, both of which may be absent.
void giveScaled(Call &c, Tensor x) {
  TensorBuilder &g = c.g;
  if (auto weight = c.optionalTensor("weight"))
    x = multiply(g, x, g.cast(*weight, x.element()));
  if (auto bias = c.optionalTensor("bias"))
    x = apply(g, {x, g.cast(*bias, x.element())},
              [](const Scalars &s, ValueRange v) { return s.add(v[0], v[1]); });
  c.give(g.cast(x, c.resultElement()));
}

void layerNorm(Call &c) {
  TensorBuilder &g = c.g;
  const Tensor input = c.tensor("input");
  const Tensor x = g.cast(input, computeType(input.element()));
  const auto dims = normalizedDims(c, x);
  const Tensor mean = sumOver(g, x, dims, /*keep=*/true, /*isMean=*/true);
  const Tensor centred = subtract(g, x, mean);
  const Tensor inverse = inverseMagnitude(g, centred, dims, c.number("eps", 1e-5));
  giveScaled(c, multiply(g, centred, inverse));
  if (c.resultCount() == 3) { // native_layer_norm
    c.give(g.cast(mean, c.resultElement(1)), 1);
    c.give(g.cast(inverse, c.resultElement(2)), 2);
  }
}

double machineEpsilon(Type element) {
  if (element.isF64())
    return std::numeric_limits<double>::epsilon();
  return element.isF32()   ? std::numeric_limits<float>::epsilon()
         : element.isF16() ? 0x1p-10
                           : 0x1p-7;
}

void rmsNorm(Call &c) {
  TensorBuilder &g = c.g;
  const Tensor input = c.tensor("input");
  const Tensor x = g.cast(input, computeType(input.element()));
  const Tensor inverse =
      inverseMagnitude(g, x, normalizedDims(c, x), c.number("eps", machineEpsilon(x.element())));
  giveScaled(c, multiply(g, x, inverse));
  if (c.resultCount() == 2) // _fused_rms_norm
    c.give(g.cast(inverse, c.resultElement(1)), 1);
}

/// The square root of the sum of squares.
void vectorNorm(Call &c) {
  TensorBuilder &g = c.g;
  const Type element = c.resultElement();
  const Tensor x = g.cast(c.tensor("self"), computeType(element));
  if (c.number("ord", 2) != 2)
    refuse("the order {} is not supported, only 2", c.number("ord", 2));
  const Tensor sum = reduceOver(g, multiply(g, x, x), c.dimensions("dim", x.rank()),
                                c.flag("keepdim"), Reduction::Sum);
  const Tensor root = apply(g, sum, [](const Scalars &s, ValueRange v) -> Value {
    return math::SqrtOp::create(s.builder, s.loc, v[0]);
  });
  c.give(g.cast(root, element));
}

constexpr AtenOp ops[] = {
    {"softmax.int", softmaxOp},
    {"_softmax.default", softmaxOp},
    {"log_softmax.int", logSoftmax},
    {"_log_softmax.default", logSoftmax},
    {"layer_norm.default", layerNorm},
    {"native_layer_norm.default", layerNorm},
    {"rms_norm.default", rmsNorm},
    {"_fused_rms_norm.default", rmsNorm},
    {"linalg_vector_norm.default", vectorNorm},
};

} // namespace

std::span<const AtenOp> normalizationOps() { return ops; }

} // namespace llmir::frontend::torch
