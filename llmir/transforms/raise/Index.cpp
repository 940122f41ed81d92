// The normal form of index expressions and their bounds.
#include "llmir/transforms/raise/Index.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/MathExtras.h"

namespace llmir::llm::raise {

using namespace mlir;

AffineExpr IndexSpace::variable(Role role, int64_t number, int64_t extent) {
  if (extent == 1)
    return constant(0);
  auto [entry, isNew] = numbers.try_emplace({role, number, extent}, extents.size());
  if (isNew)
    extents.push_back(extent);
  return getAffineDimExpr(entry->second, context);
}

int64_t IndexSpace::extentOf(AffineExpr variable) const {
  return extents[cast<AffineDimExpr>(variable).getPosition()];
}

namespace {
/// An order of atoms that does not depend on addresses.
bool isBefore(AffineExpr a, AffineExpr b) {
  if (a == b)
    return false;
  if (a.getKind() != b.getKind())
    return a.getKind() < b.getKind();
  if (auto dim = dyn_cast<AffineDimExpr>(a))
    return dim.getPosition() < cast<AffineDimExpr>(b).getPosition();
  if (auto number = dyn_cast<AffineConstantExpr>(a))
    return number.getValue() < cast<AffineConstantExpr>(b).getValue();
  auto x = dyn_cast<AffineBinaryOpExpr>(a), y = dyn_cast<AffineBinaryOpExpr>(b);
  if (!x || !y)
    return false;
  return x.getLHS() != y.getLHS() ? isBefore(x.getLHS(), y.getLHS())
                                  : isBefore(x.getRHS(), y.getRHS());
}

void addScaled(Linear &sum, const Linear &other, int64_t factor) {
  sum.constant += other.constant * factor;
  for (auto [atom, times] : other.terms) {
    auto *found = llvm::find_if(sum.terms, [&](auto &term) { return term.first == atom; });
    if (found == sum.terms.end())
      sum.terms.push_back({atom, times * factor});
    else if ((found->second += times * factor) == 0)
      sum.terms.erase(found);
  }
}
} // namespace

AffineExpr IndexSpace::build(Linear sum) {
  llvm::sort(sum.terms, [](auto &a, auto &b) { return isBefore(a.first, b.first); });
  AffineExpr result = constant(0);
  for (auto [atom, times] : sum.terms)
    result = result + atom * times;
  return result + sum.constant;
}

Linear IndexSpace::linear(AffineExpr expression) {
  if (auto number = dyn_cast<AffineConstantExpr>(expression))
    return {{}, number.getValue()};
  auto binary = dyn_cast<AffineBinaryOpExpr>(expression);
  if (!binary)
    return {{{expression, 1}}, 0};
  Linear left = linear(binary.getLHS());
  if (binary.getKind() == AffineExprKind::Add) {
    addScaled(left, linear(binary.getRHS()), 1);
    return left;
  }
  // Only constants are multiplied and divided by: what else there is never becomes an index
  // expression.
  int64_t by = cast<AffineConstantExpr>(binary.getRHS()).getValue();
  if (binary.getKind() == AffineExprKind::Mul) {
    Linear product;
    addScaled(product, left, by);
    return product;
  }
  assert(binary.getKind() != AffineExprKind::CeilDiv && "index expressions divide downwards");
  Linear quotient = floorDivide(left, by);
  if (binary.getKind() == AffineExprKind::FloorDiv)
    return quotient;
  addScaled(left, quotient, -by); // Mod
  return left;
}

Linear IndexSpace::floorDivide(Linear sum, int64_t by) {
  Linear quotient, rest;
  for (auto [atom, times] : sum.terms)
    (times % by ? rest : quotient).terms.push_back({atom, times % by ? times : times / by});
  quotient.constant = llvm::divideFloorSigned(sum.constant, by);
  rest.constant = sum.constant - quotient.constant * by;
  Bounds limits = bounds(rest);
  if (limits.low && limits.high &&
      llvm::divideFloorSigned(*limits.low, by) == llvm::divideFloorSigned(*limits.high, by)) {
    quotient.constant += llvm::divideFloorSigned(*limits.low, by);
    return quotient;
  }
  // (g * x + r) floordiv (g * n) is x floordiv n if 0 <= r < g.
  for (auto [leader, times] : rest.terms) {
    int64_t step = std::abs(times);
    if (step < 2 || by % step)
      continue;
    Linear whole, remainder;
    for (auto [atom, count] : rest.terms)
      (count % step ? remainder : whole)
          .terms.push_back({atom, count % step ? count : count / step});
    whole.constant = llvm::divideFloorSigned(rest.constant, step);
    remainder.constant = rest.constant - whole.constant * step;
    Bounds small = bounds(remainder);
    if (!small.low || !small.high || *small.low < 0 || *small.high >= step)
      continue;
    addScaled(quotient, floorDivide(whole, by / step), 1);
    return quotient;
  }
  if (rest.terms.size() == 1 && rest.terms[0].second == 1 && rest.constant == 0)
    if (auto inner = dyn_cast<AffineBinaryOpExpr>(rest.terms[0].first);
        inner && inner.getKind() == AffineExprKind::FloorDiv) {
      int64_t both = cast<AffineConstantExpr>(inner.getRHS()).getValue();
      if (!llvm::MulOverflow(both, by, both)) {
        addScaled(quotient, floorDivide(linear(inner.getLHS()), both), 1);
        return quotient;
      }
    }
  addScaled(quotient, {{{build(rest).floorDiv(by), 1}}, 0}, 1);
  return quotient;
}

Bounds IndexSpace::bounds(const Linear &sum) {
  Linear rest = sum;
  Bounds result{sum.constant, sum.constant};
  auto widen = [&](std::optional<int64_t> low, std::optional<int64_t> high) {
    result.low = result.low && low ? std::optional(*result.low + *low) : std::nullopt;
    result.high = result.high && high ? std::optional(*result.high + *high) : std::nullopt;
  };
  // s * (y - m * (y floordiv m)) is s * (y mod m), from 0 to s * (m - 1).
  for (auto [atom, times] : sum.terms) {
    auto division = dyn_cast<AffineBinaryOpExpr>(atom);
    if (!division || times >= 0)
      continue;
    int64_t by = cast<AffineConstantExpr>(division.getRHS()).getValue();
    if (times % by)
      continue;
    int64_t scale = -times / by;
    Linear without = rest, inner = linear(division.getLHS());
    addScaled(without, inner, -scale);
    addScaled(without, {{{atom, 1}}, 0}, -times);
    if (without.terms.size() + inner.terms.size() + 1 != rest.terms.size())
      continue;
    result.low = *result.low - inner.constant * scale;
    result.high = *result.high - inner.constant * scale;
    rest = without;
    widen(0, scale * (by - 1));
    if (!result.low || !result.high)
      return result;
  }
  for (auto [atom, times] : rest.terms) {
    Bounds one;
    if (isa<AffineDimExpr>(atom)) {
      one.low = 0;
      if (int64_t extent = extentOf(atom); !ShapedType::isDynamic(extent))
        one.high = extent - 1;
    } else if (auto division = dyn_cast<AffineBinaryOpExpr>(atom)) {
      int64_t by = cast<AffineConstantExpr>(division.getRHS()).getValue();
      one = bounds(linear(division.getLHS()));
      for (std::optional<int64_t> *end : {&one.low, &one.high})
        if (*end)
          *end = llvm::divideFloorSigned(**end, by);
    } else {
      one.low = 1; // T
    }
    if (times < 0)
      std::swap(one.low, one.high);
    for (std::optional<int64_t> *end : {&one.low, &one.high})
      if (*end)
        *end = **end * times;
    widen(one.low, one.high);
  }
  return result;
}

} // namespace llmir::llm::raise
