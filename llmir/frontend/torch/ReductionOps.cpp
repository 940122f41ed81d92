// ATen ops that reduce dimensions, and running sums.
#include "llmir/frontend/torch/Call.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
namespace llmir::frontend::torch {

Tensor reduceOver(TensorBuilder &g, const Tensor &input, ArrayRef<int64_t> dims, bool keep,
                  Reduction kind) {
  Tensor result = g.reduce(input, dims, kind);
  if (!keep)
    return result;
  Sizes sizes = input.sizes;
  for (int64_t dim : dims)
    sizes[dim] = SizeExpression::integer(1);
  return g.reshape(result, sizes);
}

Tensor sumOver(TensorBuilder &g, const Tensor &input, ArrayRef<int64_t> dims, bool keep,
               bool isMean) {
  Tensor sum = reduceOver(g, input, dims, keep, Reduction::Sum);
  if (!isMean)
    return sum;
  // The number of elements: a constant where the sizes are, else counted when it runs.
  int64_t count = 1;
  SmallVector<Value> symbolic;
  for (int64_t dim : dims) {
    const SizeExpression &size = input.sizes[dim];
    if (!size.isInteger())
      symbolic.push_back(g.index(size));
    else if (__builtin_mul_overflow(count, size.value, &count))
      refuse("a product of sizes has more than 63 bits");
  }
  return g.map(sum, sum.sizes, sum.element(), [&](OpBuilder &b, Location loc, ValueRange args) {
    const Scalars s{b, loc};
    Value divisor = s.integer(args[0].getType(), count);
    for (Value size : symbolic)
      divisor = s.multiply(divisor, s.convert(size, args[0].getType()));
    return s.divide(args[0], divisor);
  });
}

namespace {

/// Low precision floats are summed in f32, as torch does.
void sumOrMean(Call &c, bool isMean) {
  const Type element = c.resultElement();
  if (isMean && !isa<FloatType>(element))
    refuse("means of {} are not supported", nameOf(c.resultMeta().type));
  const Tensor input = c.g.cast(c.tensor("self"), computeType(element));
  const Tensor result =
      sumOver(c.g, input, c.dimensions("dim", input.rank()), c.flag("keepdim"), isMean);
  c.give(c.g.cast(result, element));
}
void sum(Call &c) { sumOrMean(c, false); }
void mean(Call &c) { sumOrMean(c, true); }

template <Reduction kind> void extreme(Call &c) {
  const Tensor input = c.tensor("self");
  c.give(reduceOver(c.g, input, c.dimensions("dim", input.rank()), c.flag("keepdim"), kind));
}

template <Reduction kind> void logical(Call &c) {
  const Tensor input = c.g.cast(c.tensor("self"), c.g.builder.getI1Type());
  const Tensor result =
      reduceOver(c.g, input, c.dimensions("dim", input.rank()), c.flag("keepdim"), kind);
  c.give(c.g.cast(result, c.resultElement()));
}

/// The mean of squares of what is left when the mean is taken away, over N - correction.
void variance(Call &c) {
  const Type element = c.resultElement(), compute = computeType(element);
  const Tensor input = c.g.cast(c.tensor("self"), compute);
  const auto dims = c.dimensions("dim", input.rank());
  const double correction = c.has("unbiased") ? c.flag("unbiased") : c.number("correction", 1);
  int64_t count = 1;
  for (int64_t dim : dims)
    if (!input.sizes[dim].isInteger() ||
        __builtin_mul_overflow(count, input.sizes[dim].value, &count))
      refuse("the variance over a size that is no number is not supported");
  const Tensor average = sumOver(c.g, input, dims, /*keep=*/true, /*isMean=*/true);
  const Tensor squares =
      c.g.map({input, average}, input.sizes, compute, [](OpBuilder &b, Location loc, ValueRange v) {
        const Scalars s{b, loc};
        Value difference = s.subtract(v[0], v[1]);
        return s.multiply(difference, difference);
      });
  const Tensor sum = reduceOver(c.g, squares, dims, c.flag("keepdim"), Reduction::Sum);
  c.give(c.g.map(sum, sum.sizes, element, [&](OpBuilder &b, Location loc, ValueRange v) {
    const Scalars s{b, loc};
    return s.convert(s.divide(v[0], s.number(compute, double(count) - correction)), element);
  }));
}

/// out[i] = sum of in[j] for j <= i: a square of which one triangle is summed.
void cumulativeSum(Call &c) {
  const Type element = c.resultElement(), compute = computeType(element);
  const Tensor input = c.g.cast(c.tensor("self"), compute);
  const int64_t rank = input.rank();
  if (rank == 0)
    return c.give(c.g.cast(input, element));
  const int64_t dim = c.dimension("dim", rank);
  Sizes square = input.sizes;
  square.push_back(input.sizes[dim]);
  auto dims = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  dims[dim] = rank; // the input's own position is the one that is summed over
  const Tensor terms = c.g.mapDims(
      input, dims, square, compute, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        const Scalars s{b, loc};
        Value i = TensorBuilder::position(b, loc, dim), j = TensorBuilder::position(b, loc, rank);
        return arith::SelectOp::create(b, loc, s.compare(Scalars::Order::LessEqual, j, i), v[0],
                                       s.integer(compute, 0));
      });
  c.give(c.g.cast(c.g.reduce(terms, rank, Reduction::Sum), element));
}

constexpr AtenOp ops[] = {
    {"sum.default", sum},
    {"sum.dim_IntList", sum},
    {"mean.default", mean},
    {"mean.dim", mean},
    {"amax.default", extreme<Reduction::Max>},
    {"amin.default", extreme<Reduction::Min>},
    {"max.default", extreme<Reduction::Max>},
    {"min.default", extreme<Reduction::Min>},
    {"any.default", logical<Reduction::Or>},
    {"any.dim", logical<Reduction::Or>},
    {"any.dims", logical<Reduction::Or>},
    {"all.default", logical<Reduction::And>},
    {"all.dim", logical<Reduction::And>},
    {"all.dims", logical<Reduction::And>},
    {"var.correction", variance},
    {"var.dim", variance},
    {"cumsum.default", cumulativeSum},
};

} // namespace

std::span<const AtenOp> reductionOps() { return ops; }

} // namespace llmir::frontend::torch
