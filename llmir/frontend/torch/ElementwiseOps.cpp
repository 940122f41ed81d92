// ATen ops of two or three operands that go element by element: arithmetic, comparisons, choices.
#include "llmir/frontend/torch/Call.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
namespace llmir::frontend::torch {

namespace {

using Combine = llvm::function_ref<Value(const Scalars &, ArrayRef<Value>)>;

/// Applies `combine` to operands converted to `compute`; the result's type is the graph's.
void elementwise(Call &c, ArrayRef<Operand> operands, ArrayRef<Type> compute, Combine combine) {
  TensorBuilder &g = c.g;
  SmallVector<Tensor> inputs;
  SmallVector<Value> sizes; // of operands that are symbolic numbers
  Sizes shape;
  for (const Operand &operand : operands) {
    if (operand.tensor) {
      inputs.push_back(*operand.tensor);
      shape = broadcastSizes(shape, operand.tensor->sizes);
    }
    const auto *size = std::get_if<SizeExpression>(&operand.number);
    sizes.push_back(size && !operand.tensor ? g.index(*size) : Value());
  }
  const Type element = c.resultElement();
  c.give(g.map(inputs, shape, element, [&](OpBuilder &b, Location loc, ValueRange args) {
    const Scalars s{b, loc};
    SmallVector<Value> values;
    size_t next = 0;
    for (auto [i, operand] : llvm::enumerate(operands))
      values.push_back(operandValue(s, operand, args, next, compute[i], sizes[i]));
    return s.convert(combine(s, values), element);
  }));
}

/// torch's order of types: bool, integers, floats.
int categoryOf(Type type) { return isa<FloatType>(type) ? 2 : type.isInteger(1) ? 0 : 1; }

Type widest(Type a, Type b) {
  if (categoryOf(a) != categoryOf(b))
    return categoryOf(a) > categoryOf(b) ? a : b;
  const unsigned x = a.getIntOrFloatBitWidth(), y = b.getIntOrFloatBitWidth();
  if (a != b && x == y) // f16 and bf16
    return Float32Type::get(a.getContext());
  return x >= y ? a : b;
}

/// The type in which torch computes with two operands: a tensor counts more than one without
/// dimensions, which counts more than a number, unless the latter is of a higher category.
Type promoted(Call &c, const Operand &a, const Operand &b) {
  auto rankOf = [](const Operand &o) { return !o.tensor ? 0 : o.tensor->rank() == 0 ? 1 : 2; };
  auto typeOf = [&](const Operand &o) -> Type {
    if (o.tensor)
      return o.tensor->element();
    Builder builder(c.g.builder.getContext());
    if (std::holds_alternative<double>(o.number))
      return builder.getF32Type();
    return std::holds_alternative<bool>(o.number) ? builder.getI1Type() : builder.getI64Type();
  };
  const Operand &strong = rankOf(a) >= rankOf(b) ? a : b, &weak = rankOf(a) >= rankOf(b) ? b : a;
  if (rankOf(a) == rankOf(b))
    return widest(typeOf(a), typeOf(b));
  return categoryOf(typeOf(weak)) > categoryOf(typeOf(strong)) ? typeOf(weak) : typeOf(strong);
}

/// Arithmetic in the result's type.
template <Value (Scalars::*Operation)(Value, Value) const>
void arithmetic(Call &c, const char *first, const char *second) {
  const Type type = c.resultElement();
  elementwise(c, {c.operand(first), c.operand(second)}, {type, type},
              [](const Scalars &s, ArrayRef<Value> v) { return (s.*Operation)(v[0], v[1]); });
}

/// first ± alpha * second; alpha is 1 nearly always.
template <Value (Scalars::*Operation)(Value, Value) const>
void scaledArithmetic(Call &c, const char *first, const char *second) {
  const Operand alpha = c.has("alpha") ? c.operand("alpha") : Operand{{}, int64_t(1)};
  const Type type = c.resultElement();
  const Operand a = c.operand(first), b = c.operand(second);
  const bool isOne =
      (std::holds_alternative<int64_t>(alpha.number) && std::get<int64_t>(alpha.number) == 1) ||
      (std::holds_alternative<double>(alpha.number) && std::get<double>(alpha.number) == 1);
  if (isOne)
    elementwise(c, {a, b}, {type, type},
                [](const Scalars &s, ArrayRef<Value> v) { return (s.*Operation)(v[0], v[1]); });
  else
    elementwise(c, {a, b, alpha}, {type, type, type}, [](const Scalars &s, ArrayRef<Value> v) {
      return (s.*Operation)(v[0], s.multiply(v[1], v[2]));
    });
}

void add(Call &c) {
  scaledArithmetic<&Scalars::add>(c, "self", "other");
  const Operand a = c.operand("self"), b = c.operand("other");
  const auto *number = std::get_if<int64_t>(&b.number);
  if (a.tensor && c.g.isNonNegative(*a.tensor) &&
      (b.tensor ? c.g.isNonNegative(*b.tensor) : number && *number >= 0))
    c.g.setNonNegative(c.scope.at(c.resultName()));
}
void subtract(Call &c) { scaledArithmetic<&Scalars::subtract>(c, "self", "other"); }
void subtractFrom(Call &c) { scaledArithmetic<&Scalars::subtract>(c, "other", "self"); }
void multiply(Call &c) { arithmetic<&Scalars::multiply>(c, "self", "other"); }
void maximum(Call &c) { arithmetic<&Scalars::maximum>(c, "self", "other"); }
void minimum(Call &c) { arithmetic<&Scalars::minimum>(c, "self", "other"); }

void divide(Call &c) {
  if (c.has("rounding_mode"))
    refuse("division with the rounding mode {} is not supported", c.text("rounding_mode"));
  arithmetic<&Scalars::divide>(c, "self", "other");
}

void floorDivide(Call &c) {
  const Type type = c.resultElement();
  elementwise(c, {c.operand("self"), c.operand("other")}, {type, type},
              [](const Scalars &s, ArrayRef<Value> v) -> Value {
                if (isa<FloatType>(v[0].getType()))
                  return math::FloorOp::create(s.builder, s.loc, s.divide(v[0], v[1]));
                return arith::FloorDivSIOp::create(s.builder, s.loc, v[0], v[1]);
              });
}

template <Scalars::Order order> void compare(Call &c) {
  const Operand a = c.operand("self"), b = c.operand("other");
  const Type type = promoted(c, a, b);
  elementwise(c, {a, b}, {type, type},
              [](const Scalars &s, ArrayRef<Value> v) { return s.compare(order, v[0], v[1]); });
}

template <typename Op> void bitwise(Call &c) {
  const Type type = c.resultElement();
  if (isa<FloatType>(type))
    refuse("bits of floats are not supported");
  elementwise(c, {c.operand("self"), c.operand("other")}, {type, type},
              [](const Scalars &s, ArrayRef<Value> v) -> Value {
                return Op::create(s.builder, s.loc, v[0], v[1]);
              });
}

/// As bitwise, on what is not 0.
template <typename Op> void logical(Call &c) {
  const Type boolean = c.g.builder.getI1Type();
  elementwise(c, {c.operand("self"), c.operand("other")}, {boolean, boolean},
              [](const Scalars &s, ArrayRef<Value> v) -> Value {
                return Op::create(s.builder, s.loc, v[0], v[1]);
              });
}

void choose(Call &c, const Operand &condition, const Operand &a, const Operand &b) {
  const Type type = c.resultElement();
  elementwise(c, {condition, a, b}, {c.g.builder.getI1Type(), type, type},
              [](const Scalars &s, ArrayRef<Value> v) -> Value {
                return arith::SelectOp::create(s.builder, s.loc, v[0], v[1], v[2]);
              });
}
void where(Call &c) { choose(c, c.operand("condition"), c.operand("self"), c.operand("other")); }
void maskedFill(Call &c) { choose(c, c.operand("mask"), c.operand("value"), c.operand("self")); }

Value multiplyTimes(const Scalars &s, Value value, int64_t times) {
  Value result = value;
  for (int64_t i = 1; i < times; ++i)
    result = s.multiply(result, value);
  return result;
}

/// x^2 and the like are products and roots, as in torch; the rest is math.powf.
Value power(const Scalars &s, Value base, double exponent) {
  if (exponent == 1 || exponent == 2 || exponent == 3)
    return multiplyTimes(s, base, static_cast<int64_t>(exponent));
  if (exponent == 0.5)
    return math::SqrtOp::create(s.builder, s.loc, base);
  if (exponent == -0.5)
    return math::RsqrtOp::create(s.builder, s.loc, base);
  if (exponent == -1)
    return s.divide(s.number(base.getType(), 1), base);
  return math::PowFOp::create(s.builder, s.loc, base, s.number(base.getType(), exponent));
}

void powerOfTensor(Call &c) {
  const double exponent = c.number("exponent");
  const Type type = computeType(c.resultElement());
  if (!isa<FloatType>(type) && exponent != 1 && exponent != 2 && exponent != 3)
    refuse("the power {} of integers is not supported", exponent);
  elementwise(c, c.operand("self"), type,
              [&](const Scalars &s, ArrayRef<Value> v) { return power(s, v[0], exponent); });
}

/// A number or a tensor to the power of a tensor.
void powerByTensor(Call &c) {
  const Type type = computeType(c.resultElement());
  if (!isa<FloatType>(type))
    refuse("powers of integers are not supported");
  elementwise(c, {c.operand("self"), c.operand("exponent")}, {type, type},
              [](const Scalars &s, ArrayRef<Value> v) -> Value {
                return math::PowFOp::create(s.builder, s.loc, v[0], v[1]);
              });
}

void clamp(Call &c) {
  const bool hasMin = c.has("min"), hasMax = c.has("max");
  SmallVector<Operand> operands = {c.operand("self")};
  for (const char *name : {"min", "max"})
    if (c.has(name))
      operands.push_back(c.operand(name));
  elementwise(c, operands, SmallVector<Type>(operands.size(), c.resultElement()),
              [&](const Scalars &s, ArrayRef<Value> v) {
                Value result = hasMin ? s.maximum(v[0], v[1]) : v[0];
                return hasMax ? s.minimum(result, v.back()) : result;
              });
}

using Order = Scalars::Order;

constexpr AtenOp ops[] = {
    {"add.Tensor", add},
    {"add.Scalar", add},
    {"sub.Tensor", subtract},
    {"sub.Scalar", subtract},
    {"rsub.Tensor", subtractFrom},
    {"rsub.Scalar", subtractFrom},
    {"mul.Tensor", multiply},
    {"mul.Scalar", multiply},
    {"div.Tensor", divide},
    {"div.Scalar", divide},
    {"floor_divide.default", floorDivide},
    {"floor_divide.Scalar", floorDivide},
    {"maximum.default", maximum},
    {"minimum.default", minimum},
    {"clamp.default", clamp},
    {"clamp.Tensor", clamp},
    {"clamp_min.default", clamp},
    {"clamp_max.default", clamp},
    {"pow.Tensor_Scalar", powerOfTensor},
    {"pow.Tensor_Tensor", powerByTensor},
    {"pow.Scalar", powerByTensor},
    {"eq.Tensor", compare<Order::Equal>},
    {"eq.Scalar", compare<Order::Equal>},
    {"ne.Tensor", compare<Order::NotEqual>},
    {"ne.Scalar", compare<Order::NotEqual>},
    {"lt.Tensor", compare<Order::Less>},
    {"lt.Scalar", compare<Order::Less>},
    {"le.Tensor", compare<Order::LessEqual>},
    {"le.Scalar", compare<Order::LessEqual>},
    {"gt.Tensor", compare<Order::Greater>},
    {"gt.Scalar", compare<Order::Greater>},
    {"ge.Tensor", compare<Order::GreaterEqual>},
    {"ge.Scalar", compare<Order::GreaterEqual>},
    {"bitwise_and.Tensor", bitwise<arith::AndIOp>},
    {"bitwise_and.Scalar", bitwise<arith::AndIOp>},
    {"bitwise_or.Tensor", bitwise<arith::OrIOp>},
    {"bitwise_or.Scalar", bitwise<arith::OrIOp>},
    {"bitwise_xor.Tensor", bitwise<arith::XOrIOp>},
    {"__and__.Tensor", bitwise<arith::AndIOp>},
    {"__and__.Scalar", bitwise<arith::AndIOp>},
    {"__or__.Tensor", bitwise<arith::OrIOp>},
    {"__or__.Scalar", bitwise<arith::OrIOp>},
    {"__xor__.Tensor", bitwise<arith::XOrIOp>},
    {"logical_and.default", logical<arith::AndIOp>},
    {"logical_or.default", logical<arith::OrIOp>},
    {"logical_xor.default", logical<arith::XOrIOp>},
    {"where.self", where},
    {"where.Scalar", where},
    {"where.ScalarOther", where},
    {"where.ScalarSelf", where},
    {"masked_fill.Scalar", maskedFill},
    {"masked_fill.Tensor", maskedFill},
};

} // namespace

std::span<const AtenOp> elementwiseOps() { return ops; }

} // namespace llmir::frontend::torch
