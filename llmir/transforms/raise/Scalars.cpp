// Scalar ops of arith and math as expressions. Casts between floats are identities: activations are
// f32 in llm IR.
#include "llmir/transforms/raise/Elements.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

namespace llmir::llm::raise {

using namespace mlir;

namespace {
Expr compare(Algebra &a, bool isLess, bool orEqual, bool swapped, Expr x, Expr y) {
  if (swapped)
    std::swap(x, y);
  return a.apply(isLess ? (orEqual ? Kind::LessEqual : Kind::Less) : Kind::Equal, {x, y});
}

Expr compareIntegers(Algebra &a, arith::CmpIPredicate predicate, Expr x, Expr y) {
  using P = arith::CmpIPredicate;
  switch (predicate) {
  case P::eq:
    return compare(a, false, false, false, x, y);
  case P::ne:
    return a.notOf(compare(a, false, false, false, x, y));
  case P::slt:
    return compare(a, true, false, false, x, y);
  case P::sle:
    return compare(a, true, true, false, x, y);
  case P::sgt:
    return compare(a, true, false, true, x, y);
  case P::sge:
    return compare(a, true, true, true, x, y);
  default:
    return nullptr;
  }
}

Expr compareFloats(Algebra &a, arith::CmpFPredicate predicate, Expr x, Expr y) {
  using P = arith::CmpFPredicate;
  switch (predicate) {
  case P::OEQ:
  case P::UEQ:
    return compare(a, false, false, false, x, y);
  case P::ONE:
  case P::UNE:
    return a.notOf(compare(a, false, false, false, x, y));
  case P::OLT:
  case P::ULT:
    return compare(a, true, false, false, x, y);
  case P::OLE:
  case P::ULE:
    return compare(a, true, true, false, x, y);
  case P::OGT:
  case P::UGT:
    return compare(a, true, false, true, x, y);
  case P::OGE:
  case P::UGE:
    return compare(a, true, true, true, x, y);
  default:
    return nullptr;
  }
}

/// x divided by a positive constant, downwards; divisions that round to zero need x >= 0.
Expr divide(Algebra &a, Expr x, Expr y, bool roundsDown, bool wantsRest) {
  auto index = a.asIndex(x), by = a.asIndex(y);
  auto constant = by ? dyn_cast<AffineConstantExpr>(*by) : AffineConstantExpr();
  if (!index || !constant || constant.getValue() < 1)
    return nullptr;
  if (!roundsDown)
    if (auto low = a.space.bounds(a.space.linear(*index)).low; !low || *low < 0)
      return nullptr;
  return a.index(wantsRest ? *index % constant.getValue() : index->floorDiv(constant.getValue()));
}

Expr power(Algebra &a, Expr x, Expr exponent) {
  if (!exponent->is(Kind::Number))
    return x->is(Kind::Number) && x->number > 0
               ? a.apply(Kind::Exp, {a.mul({exponent, a.number(std::log(x->number))})})
               : nullptr;
  double to = exponent->number;
  Expr base = to < 0 ? a.recip(x) : x;
  to = std::fabs(to);
  if (to == 0.5)
    return base->is(Kind::Recip) ? a.recip(a.apply(Kind::Sqrt, {x})) : a.apply(Kind::Sqrt, {base});
  if (to != std::floor(to) || to < 1 || to > 8)
    return nullptr;
  return a.mul(SmallVector<Expr>(static_cast<size_t>(to), base));
}
} // namespace

Expr scalarExpression(Algebra &a, Operation *op, ArrayRef<Expr> x) {
  auto unary = [&](Kind kind) { return a.apply(kind, {x[0]}); };
  auto isBool = [&] { return op->getOperand(0).getType().isInteger(1); };
  return TypeSwitch<Operation *, Expr>(op)
      .Case<arith::ExtFOp, arith::TruncFOp, arith::IndexCastOp, arith::IndexCastUIOp,
            arith::ExtUIOp, arith::UIToFPOp>([&](auto) { return x[0]; })
      .Case<arith::ExtSIOp, arith::SIToFPOp>([&](auto) { return isBool() ? a.negate(x[0]) : x[0]; })
      .Case<arith::FPToSIOp, arith::TruncIOp>([&](Operation *cast) -> Expr {
        // Only of what is an integer that fits is it an identity.
        auto index = a.asIndex(x[0]);
        return index && !cast->getResult(0).getType().isInteger(1) ? x[0] : nullptr;
      })
      .Case<arith::AddFOp, arith::AddIOp>([&](auto) { return a.add(x); })
      .Case<arith::SubFOp, arith::SubIOp>([&](auto) { return a.add({x[0], a.negate(x[1])}); })
      .Case<arith::MulFOp, arith::MulIOp, arith::AndIOp>(
          [&](auto) -> Expr { return isa<arith::AndIOp>(op) && !isBool() ? nullptr : a.mul(x); })
      .Case<arith::OrIOp>([&](auto) { return isBool() ? a.apply(Kind::Max, x) : nullptr; })
      .Case<arith::XOrIOp>(
          [&](auto) { return isBool() ? a.select(x[1], a.notOf(x[0]), x[0]) : nullptr; })
      .Case<arith::DivFOp>([&](auto) { return a.mul({x[0], a.recip(x[1])}); })
      .Case<arith::NegFOp>([&](auto) { return a.negate(x[0]); })
      .Case<arith::FloorDivSIOp>([&](auto) { return divide(a, x[0], x[1], true, false); })
      .Case<arith::DivSIOp, arith::DivUIOp>(
          [&](auto) { return divide(a, x[0], x[1], false, false); })
      .Case<arith::RemSIOp, arith::RemUIOp>(
          [&](auto) { return divide(a, x[0], x[1], false, true); })
      .Case<arith::MaximumFOp, arith::MaxNumFOp, arith::MaxSIOp>(
          [&](auto) { return a.apply(Kind::Max, x); })
      .Case<arith::MinimumFOp, arith::MinNumFOp, arith::MinSIOp>(
          [&](auto) { return a.apply(Kind::Min, x); })
      .Case<arith::CmpIOp>(
          [&](arith::CmpIOp cmp) { return compareIntegers(a, cmp.getPredicate(), x[0], x[1]); })
      .Case<arith::CmpFOp>(
          [&](arith::CmpFOp cmp) { return compareFloats(a, cmp.getPredicate(), x[0], x[1]); })
      .Case<arith::SelectOp>([&](auto) { return a.select(x[0], x[1], x[2]); })
      .Case<math::ExpOp>([&](auto) { return unary(Kind::Exp); })
      .Case<math::Exp2Op>(
          [&](auto) { return a.apply(Kind::Exp, {a.mul({x[0], a.number(std::log(2.0))})}); })
      .Case<math::LogOp>([&](auto) { return unary(Kind::Log); })
      .Case<math::TanhOp>([&](auto) { return unary(Kind::Tanh); })
      .Case<math::ErfOp>([&](auto) { return unary(Kind::Erf); })
      .Case<math::SqrtOp>([&](auto) { return unary(Kind::Sqrt); })
      .Case<math::RsqrtOp>([&](auto) { return a.recip(unary(Kind::Sqrt)); })
      .Case<math::SinOp>([&](auto) { return unary(Kind::Sin); })
      .Case<math::CosOp>([&](auto) { return unary(Kind::Cos); })
      .Case<math::AbsFOp>([&](auto) { return unary(Kind::Abs); })
      .Case<math::PowFOp>([&](auto) { return power(a, x[0], x[1]); })
      .Case<math::FPowIOp>([&](auto) { return power(a, x[0], x[1]); })
      .Default([](auto) { return nullptr; });
}

} // namespace llmir::llm::raise
