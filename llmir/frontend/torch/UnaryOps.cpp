// ATen ops of one operand that go element by element: functions, activations, conversions, and the
// ops that give their operand back.
#include "llmir/frontend/torch/Call.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <numbers>

using namespace mlir;
namespace llmir::frontend::torch {

namespace {

using Function = llvm::function_ref<Value(const Scalars &, Value)>;

/// Floats of 16 bits are computed in f32, as torch does.
void unary(Call &c, Function function) {
  const Tensor input = c.tensor("self");
  const Type element = c.resultElement(), compute = computeType(element);
  c.give(c.g.map(input, input.sizes, element, [&](OpBuilder &b, Location loc, ValueRange args) {
    const Scalars s{b, loc};
    return s.convert(function(s, s.convert(args[0], compute)), element);
  }));
}

void needFloats(Call &c) {
  if (!isa<FloatType>(c.resultElement()))
    refuse("is supported for floats, the result is {}", nameOf(c.resultMeta().type));
}

/// One op of the dialect math.
template <typename Op> void function(Call &c) {
  needFloats(c);
  unary(c, [](const Scalars &s, Value x) -> Value { return Op::create(s.builder, s.loc, x); });
}

void negate(Call &c) {
  unary(c, [](const Scalars &s, Value x) -> Value {
    if (isa<FloatType>(x.getType()))
      return arith::NegFOp::create(s.builder, s.loc, x);
    return s.subtract(s.integer(x.getType(), 0), x);
  });
}

void absolute(Call &c) {
  unary(c, [](const Scalars &s, Value x) -> Value {
    if (isa<FloatType>(x.getType()))
      return math::AbsFOp::create(s.builder, s.loc, x);
    return math::AbsIOp::create(s.builder, s.loc, x);
  });
}

void reciprocal(Call &c) {
  needFloats(c);
  unary(c, [](const Scalars &s, Value x) { return s.divide(s.number(x.getType(), 1), x); });
}

void square(Call &c) {
  unary(c, [](const Scalars &s, Value x) { return s.multiply(x, x); });
}

Value logistic(const Scalars &s, Value x) {
  Value one = s.number(x.getType(), 1);
  Value power = math::ExpOp::create(s.builder, s.loc, arith::NegFOp::create(s.builder, s.loc, x));
  return s.divide(one, s.add(one, power));
}

void sigmoid(Call &c) {
  needFloats(c);
  unary(c, logistic);
}

void silu(Call &c) {
  needFloats(c);
  unary(c, [](const Scalars &s, Value x) { return s.multiply(x, logistic(s, x)); });
}

void relu(Call &c) {
  unary(c, [](const Scalars &s, Value x) { return s.maximum(x, s.integer(x.getType(), 0)); });
}

void softplus(Call &c) {
  needFloats(c);
  const double beta = c.number("beta", 1), threshold = c.number("threshold", 20);
  unary(c, [&](const Scalars &s, Value x) -> Value {
    const Type type = x.getType();
    Value scaled = s.multiply(x, s.number(type, beta));
    Value log =
        math::Log1pOp::create(s.builder, s.loc, math::ExpOp::create(s.builder, s.loc, scaled));
    Value isLarge = s.compare(Scalars::Order::Greater, scaled, s.number(type, threshold));
    return arith::SelectOp::create(s.builder, s.loc, isLarge, x,
                                   s.divide(log, s.number(type, beta)));
  });
}

/// x * (1 + f) / 2, where f is erf or a tanh that is close to it.
void gelu(Call &c) {
  needFloats(c);
  const std::string kind = c.text("approximate", "none");
  if (kind != "none" && kind != "tanh")
    refuse("approximate is {}, it must be none or tanh", kind);
  unary(c, [&](const Scalars &s, Value x) {
    const Type type = x.getType();
    Value step;
    if (kind == "none") {
      step = math::ErfOp::create(s.builder, s.loc,
                                 s.multiply(x, s.number(type, std::numbers::sqrt2 / 2)));
    } else {
      Value cube = s.multiply(s.multiply(x, x), x);
      Value inner = s.add(x, s.multiply(s.number(type, 0.044715), cube));
      const double factor = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
      step = math::TanhOp::create(s.builder, s.loc, s.multiply(s.number(type, factor), inner));
    }
    Value half = s.multiply(x, s.number(type, 0.5));
    return s.multiply(half, s.add(s.number(type, 1), step));
  });
}

void logicalNot(Call &c) {
  const Tensor input = c.tensor("self");
  c.give(c.g.map(input, input.sizes, c.g.builder.getI1Type(),
                 [](OpBuilder &b, Location loc, ValueRange args) -> Value {
                   const Scalars s{b, loc};
                   if (args[0].getType().isInteger(1))
                     return arith::XOrIOp::create(b, loc, args[0], s.integer(b.getI1Type(), 1));
                   return s.compare(Scalars::Order::Equal, args[0],
                                    s.integer(args[0].getType(), 0));
                 }));
}

void bitwiseNot(Call &c) {
  if (isa<FloatType>(c.resultElement()))
    refuse("bits of floats are not supported");
  unary(c, [](const Scalars &s, Value x) -> Value {
    return arith::XOrIOp::create(s.builder, s.loc, x, s.integer(x.getType(), -1));
  });
}

/// All conversions: the graph says to what.
void convert(Call &c) { c.give(c.g.cast(c.tensor("self"), c.resultElement())); }
void same(Call &c) { c.give(c.tensor("self")); }

void dropout(Call &c) {
  if (c.flag("train") && c.number("p") != 0)
    refuse("is in training mode: call .eval() on the model before it is exported");
  c.give(c.tensor("input"));
}

constexpr AtenOp ops[] = {
    {"neg.default", negate},
    {"abs.default", absolute},
    {"exp.default", function<math::ExpOp>},
    {"exp2.default", function<math::Exp2Op>},
    {"log.default", function<math::LogOp>},
    {"log2.default", function<math::Log2Op>},
    {"log1p.default", function<math::Log1pOp>},
    {"sqrt.default", function<math::SqrtOp>},
    {"rsqrt.default", function<math::RsqrtOp>},
    {"sin.default", function<math::SinOp>},
    {"cos.default", function<math::CosOp>},
    {"tanh.default", function<math::TanhOp>},
    {"erf.default", function<math::ErfOp>},
    {"floor.default", function<math::FloorOp>},
    {"ceil.default", function<math::CeilOp>},
    {"round.default", function<math::RoundEvenOp>},
    {"reciprocal.default", reciprocal},
    {"square.default", square},
    {"sigmoid.default", sigmoid},
    {"silu.default", silu},
    {"relu.default", relu},
    {"gelu.default", gelu},
    {"softplus.default", softplus},
    {"logical_not.default", logicalNot},
    {"bitwise_not.default", bitwiseNot},
    {"to.dtype", convert},
    {"to.dtype_layout", convert},
    {"to.device", convert},
    {"to.other", convert},
    {"_to_copy.default", convert},
    {"type_as.default", convert},
    {"alias.default", same},
    {"clone.default", same},
    {"contiguous.default", same},
    {"detach.default", same},
    {"detach_.default", same},
    {"lift_fresh.default", same},
    {"lift_fresh_copy.default", same},
    {"dropout.default", dropout},
};

} // namespace

std::span<const AtenOp> unaryOps() { return ops; }

} // namespace llmir::frontend::torch
