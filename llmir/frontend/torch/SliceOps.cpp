// ATen ops that take a part of a tensor, or all of its parts, and differences of neighbours.
#include "llmir/frontend/torch/Call.h"

using namespace mlir;
namespace llmir::frontend::torch {

namespace {

using Kind = SizeExpression::Kind;

SizeExpression sum(const SizeExpression &a, const SizeExpression &b) {
  int64_t number = 0;
  if (a.isInteger() && b.isInteger()) {
    if (__builtin_add_overflow(a.value, b.value, &number))
      refuse("a sum of sizes has more than 63 bits");
    return SizeExpression::integer(number);
  }
  if (a.isInteger() && a.value == 0)
    return b;
  if (b.isInteger() && b.value == 0)
    return a;
  return {.kind = Kind::Add, .operands = {a, b}};
}

/// Whether it counts from the end: a negative number, or -1 * s27.
bool isNegative(const SizeExpression &size) {
  if (size.isInteger())
    return size.value < 0;
  return size.kind == Kind::Mul && llvm::any_of(size.operands, isNegative);
}

/// A place along a dimension of `whole` elements, which torch counts from the end if it is negative
/// and moves to the edge if it lies beyond.
SizeExpression placeIn(const SizeExpression &whole, const SizeExpression &place) {
  const SizeExpression from = isNegative(place) ? sum(whole, place) : place;
  if (!from.isInteger() || !whole.isInteger())
    return from;
  return SizeExpression::integer(std::clamp<int64_t>(from.value, 0, whole.value));
}

/// How much of dimension `dim` the graph says that a result has.
SizeExpression resultSize(Call &c, size_t result, int64_t dim) {
  const Sizes &sizes = c.resultSizes(result);
  if (dim >= static_cast<int64_t>(sizes.size()))
    refuse("the graph says that a result has the sizes {}", shownSizes(sizes));
  return sizes[dim];
}

void slice(Call &c) {
  const Tensor input = c.tensor("self");
  const int64_t dim = c.dimension("dim", input.rank(), 0), step = c.integer("step", 1);
  if (step < 1)
    refuse("the argument step is {}, it must be positive", step);
  const SizeExpression start = placeIn(input.sizes[dim], c.size("start", 0));
  c.give(c.g.slice(input, dim, start, resultSize(c, 0, dim), step));
}

void narrow(Call &c) {
  const Tensor input = c.tensor("self");
  const int64_t dim = c.dimension("dim", input.rank());
  c.give(c.g.slice(input, dim, placeIn(input.sizes[dim], c.size("start")), c.size("length")));
}

/// One element of a dimension, which is gone from the result.
Tensor element(Call &c, const Tensor &input, int64_t dim, const SizeExpression &place) {
  const Tensor part = c.g.slice(input, dim, place, SizeExpression::integer(1));
  Sizes sizes = part.sizes;
  sizes.erase(sizes.begin() + dim);
  return c.g.reshape(part, sizes);
}

void select(Call &c) {
  const Tensor input = c.tensor("self");
  const int64_t dim = c.dimension("dim", input.rank());
  c.give(element(c, input, dim, placeIn(input.sizes[dim], c.size("index"))));
}

void unbind(Call &c) {
  const Tensor input = c.tensor("self");
  const int64_t dim = c.dimension("dim", input.rank(), 0);
  for (size_t i = 0, count = c.resultCount(); i < count; ++i)
    c.give(element(c, input, dim, SizeExpression::integer(static_cast<int64_t>(i))), i);
}

/// chunk and both kinds of split: the sizes of the parts are those that the graph says.
void split(Call &c) {
  const Tensor input = c.tensor("self");
  const int64_t dim = c.dimension("dim", input.rank(), 0);
  SizeExpression start = SizeExpression::integer(0);
  for (size_t i = 0, count = c.resultCount(); i < count; ++i) {
    const SizeExpression size = resultSize(c, i, dim);
    c.give(c.g.slice(input, dim, start, size), i);
    start = sum(start, size);
  }
}

/// Each element less the one before it.
void difference(Call &c) {
  Tensor input = c.tensor("self");
  if (c.integer("n", 1) != 1)
    refuse("differences of differences are not supported");
  const int64_t dim = c.dimension("dim", input.rank(), -1);
  std::vector<Tensor> parts;
  SizeExpression size = SizeExpression::integer(0);
  for (const auto &part :
       {c.optionalTensor("prepend"), std::optional(input), c.optionalTensor("append")}) {
    if (!part)
      continue;
    if (part->rank() != input.rank())
      refuse("the sizes {} and {} do not go together", shownSizes(input.sizes),
             shownSizes(part->sizes));
    parts.push_back(c.g.cast(*part, c.resultElement()));
    size = sum(size, part->sizes[dim]);
  }
  const Tensor whole = c.g.concat(parts, dim, size);
  const SizeExpression count = resultSize(c, 0, dim);
  const Tensor next = c.g.slice(whole, dim, SizeExpression::integer(1), count),
               previous = c.g.slice(whole, dim, SizeExpression::integer(0), count);
  const bool isBool = next.element().isInteger(1);
  c.give(c.g.map(
      {next, previous}, next.sizes, next.element(), [&](OpBuilder &b, Location loc, ValueRange v) {
        const Scalars s{b, loc};
        return isBool ? s.compare(Scalars::Order::NotEqual, v[0], v[1]) : s.subtract(v[0], v[1]);
      }));
}

constexpr AtenOp ops[] = {
    {"slice.Tensor", slice},
    {"narrow.default", narrow},
    {"select.int", select},
    {"unbind.int", unbind},
    {"split.Tensor", split},
    {"split.sizes", split},
    {"split_with_sizes.default", split},
    {"chunk.default", split},
    {"diff.default", difference},
};

} // namespace

std::span<const AtenOp> sliceOps() { return ops; }

} // namespace llmir::frontend::torch
