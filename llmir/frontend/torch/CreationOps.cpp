// ATen ops that make tensors of nothing: fills, ranges, and the triangles of matrices.
#include "llmir/frontend/torch/Call.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include <cmath>

using namespace mlir;
namespace llmir::frontend::torch {

namespace {

/// The result's sizes and type are the graph's.
void fillWith(Call &c, const Operand &number) {
  const Type element = c.resultElement();
  if (number.tensor)
    return c.give(c.g.broadcast(c.g.cast(*number.tensor, element), c.resultSizes()));
  if (const auto *integer = std::get_if<int64_t>(&number.number))
    return c.give(c.g.fill(c.resultSizes(), integerAttr(element, *integer)));
  if (const auto *real = std::get_if<double>(&number.number))
    return c.give(c.g.fill(c.resultSizes(), numberAttr(element, *real)));
  if (const auto *flag = std::get_if<bool>(&number.number))
    return c.give(c.g.fill(c.resultSizes(), integerAttr(element, *flag)));
  Value size = c.g.index(std::get<SizeExpression>(number.number));
  c.give(c.g.map({}, c.resultSizes(), element, [&](OpBuilder &b, Location loc, ValueRange) {
    return Scalars{b, loc}.convert(size, element);
  }));
}

void zeros(Call &c) { fillWith(c, {{}, int64_t(0)}); }
void ones(Call &c) { fillWith(c, {{}, int64_t(1)}); }
void full(Call &c) { fillWith(c, c.operand("fill_value")); }
void scalarTensor(Call &c) { fillWith(c, c.operand("s")); }

/// A number of a range, as a scalar of the type.
Value rangeNumber(const Scalars &s, const Operand &number, Type type, Value size) {
  size_t none = 0;
  return operandValue(s, number, {}, none, type, size);
}

bool isNumber(const Operand &operand, int64_t number) {
  const auto *integer = std::get_if<int64_t>(&operand.number);
  return integer && *integer == number;
}

/// start + i * step. The end is in the size, which the graph says.
void arange(Call &c) {
  const Operand start = c.has("start") ? c.operand("start") : Operand{},
                step = c.has("step") ? c.operand("step") : Operand{{}, int64_t(1)};
  if (start.tensor || step.tensor)
    refuse("a range that depends on values is not supported");
  if (c.resultSizes().size() != 1)
    refuse("the graph says that the result has the sizes {}", shownSizes(c.resultSizes()));
  const Type element = c.resultElement();
  const auto *size = std::get_if<SizeExpression>(&start.number);
  Value startSize = size ? c.g.index(*size) : Value();
  size = std::get_if<SizeExpression>(&step.number);
  Value stepSize = size ? c.g.index(*size) : Value();
  Tensor result =
      c.g.map({}, c.resultSizes(), element, [&](OpBuilder &b, Location loc, ValueRange) {
        const Scalars s{b, loc};
        // Low precision floats count in f32.
        const Type type = computeType(element);
        Value value = s.convert(TensorBuilder::position(b, loc, 0), type);
        if (!isNumber(step, 1))
          value = s.multiply(value, rangeNumber(s, step, type, stepSize));
        if (!isNumber(start, 0))
          value = s.add(rangeNumber(s, start, type, startSize), value);
        return s.convert(value, element);
      });
  const auto *first = std::get_if<int64_t>(&start.number), *by = std::get_if<int64_t>(&step.number);
  c.give(result);
  if (first && by && *first >= 0 && *by > 0)
    c.g.setNonNegative(c.scope.at(c.resultName()));
}

/// Keeps what is on one side of a diagonal: j - i >= diagonal, or <=.
void triangle(Call &c, Scalars::Order order) {
  const Tensor input = c.tensor("self");
  const int64_t rank = input.rank(), diagonal = c.integer("diagonal", 0);
  if (rank < 2)
    refuse("needs a matrix, the tensor has the sizes {}", shownSizes(input.sizes));
  c.give(c.g.map(input, input.sizes, input.element(),
                 [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                   const Scalars s{b, loc};
                   const Type type = b.getI64Type();
                   Value i = s.convert(TensorBuilder::position(b, loc, rank - 2), type);
                   Value j = s.convert(TensorBuilder::position(b, loc, rank - 1), type);
                   if (diagonal != 0)
                     i = s.add(i, s.integer(type, diagonal));
                   return arith::SelectOp::create(b, loc, s.compare(order, j, i), args[0],
                                                  s.integer(args[0].getType(), 0));
                 }));
}
void triu(Call &c) { triangle(c, Scalars::Order::GreaterEqual); }
void tril(Call &c) { triangle(c, Scalars::Order::LessEqual); }

constexpr AtenOp ops[] = {
    {"zeros.default", zeros},      {"zeros_like.default", zeros},
    {"new_zeros.default", zeros},  {"ones.default", ones},
    {"ones_like.default", ones},   {"new_ones.default", ones},
    {"full.default", full},        {"full_like.default", full},
    {"new_full.default", full},    {"scalar_tensor.default", scalarTensor},
    {"arange.default", arange},    {"arange.start", arange},
    {"arange.start_step", arange}, {"triu.default", triu},
    {"tril.default", tril},
};

} // namespace

std::span<const AtenOp> creationOps() { return ops; }

} // namespace llmir::frontend::torch
