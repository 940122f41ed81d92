// Norms: x / sqrt(mean(x^2) + eps) * weight over groups of columns, however it is written. A layer
// norm is that of x - mean(x).
#include "llmir/transforms/raise/Raiser.h"

namespace llmir::llm::raise {

using namespace mlir;

namespace {
struct Square {
  Expr root;     ///< what is squared and summed up
  double factor; ///< what the squares are multiplied with
};

/// A sum's body as a square.
std::optional<Square> asSquare(Algebra &algebra, Expr body) {
  double factor = 1;
  SmallVector<Expr> once;
  ArrayRef<Expr> factors = algebra.factors(body);
  for (size_t i = 0; i < factors.size(); ++i) {
    if (factors[i]->is(Kind::Number)) {
      factor *= factors[i]->number;
    } else if (i + 1 < factors.size() && factors[i] == factors[i + 1]) {
      once.push_back(factors[i++]);
    } else {
      return std::nullopt;
    }
  }
  return Square{algebra.mul(once), factor};
}

/// x if `centred` is x - mean(x) within groups of `group` columns, of which `inner` is the one's
/// place.
Expr uncentred(Algebra &algebra, Expr centred, AffineExpr inner, int64_t group) {
  if (!centred->is(Kind::Add) || centred->args.size() < 2)
    return nullptr;
  for (Expr term : centred->args) {
    ArrayRef<Expr> factors = algebra.factors(term);
    if (factors.size() != 2)
      continue;
    bool first = factors[0]->is(Kind::Number);
    Expr number = factors[first ? 0 : 1], sum = factors[first ? 1 : 0];
    if (!number->is(Kind::Number) || !sum->is(Kind::Sum) ||
        std::fabs(number->number * group + 1) > 1e-6)
      continue;
    SmallVector<Expr> others;
    llvm::copy_if(centred->args, std::back_inserter(others),
                  [&](Expr other) { return other != term; });
    Expr x = algebra.add(others);
    if (algebra.space.extentOf(sum->index) == group &&
        algebra.substitute(sum->args[0], {{sum->index, inner}}) == x)
      return x;
  }
  return nullptr;
}
} // namespace

Value raiseNorm(Raiser &raiser, Expr x, int64_t columns) {
  Algebra &algebra = raiser.algebra;
  AffineExpr column = raiser.column(columns);
  Expr bias = nullptr, product = x;
  if (x->is(Kind::Add) && x->args.size() == 2)
    for (int side : {0, 1})
      if (raiser.weightOf(x->args[side]) && x->args[side]->args.size() == 1 &&
          x->args[1 - side]->is(Kind::Mul)) {
        bias = x->args[side];
        product = x->args[1 - side];
      }
  SmallVector<Expr> rest(algebra.factors(product));
  for (Expr norm : rest) {
    if (!norm->is(Kind::Recip) || !norm->args[0]->is(Kind::Sqrt))
      continue;
    Expr inside = norm->args[0]->args[0], sum = nullptr;
    algebra.contains(inside, [&](Expr node) {
      if (node->is(Kind::Sum) && !sum)
        sum = node;
      return node->is(Kind::Sum);
    });
    auto square = sum ? asSquare(algebra, sum->args[0]) : std::nullopt;
    if (!square)
      continue;
    int64_t group = algebra.space.extentOf(sum->index);
    auto eps = algebra.evaluate(inside, {{sum, 0.0}}), one = algebra.evaluate(inside, {{sum, 1.0}}),
         two = algebra.evaluate(inside, {{sum, 2.0}});
    if (!eps || !one || !two || std::fabs(*two + *eps - 2 * *one) > 1e-9 * *two)
      return raiser.refuse(
          "a division by the root of something else than a mean of squares and an eps");
    if (!(*eps > 0))
      return raiser.refuse("a norm without a positive eps");
    AffineExpr place = group == columns ? column : column % group;
    Expr root = algebra.substitute(square->root, {{sum->index, place}});
    SmallVector<Expr> left = rest;
    left.erase(llvm::find(left, norm));
    // A constant that x is multiplied with stands in the product, and its square in the sum.
    double constant = 1, squared = (*one - *eps) * square->factor * static_cast<double>(group);
    if (auto *number = llvm::find_if(left, [](Expr factor) { return factor->is(Kind::Number); });
        number != left.end()) {
      constant = (*number)->number;
      left.erase(number);
    }
    if (!(constant > 0) || std::fabs(squared / (constant * constant) - 1) > 1e-6)
      return raiser.refuse("a division by the root of a sum of squares that is no mean over " +
                           Twine(group) + " columns");
    bool coversAll = llvm::all_of(algebra.factors(root), [&](Expr factor) {
      auto *found = llvm::find(left, factor);
      bool isThere = found != left.end();
      if (isThere)
        left.erase(found);
      return isThere;
    });
    if (!coversAll)
      continue;
    if (left.size() != 1 || !raiser.weightOf(left[0]) || left[0]->args.size() != 1 ||
        left[0]->args[0] != algebra.index(place) ||
        raiser.weightOf(left[0]).getTensorType().getDimSize(0) != group)
      return raiser.refuse("a norm that is not multiplied by a weight of " + Twine(group) +
                           " elements alone");
    root = algebra.mul({algebra.number(constant), root});
    Expr centre = uncentred(algebra, square->root, sum->index, group);
    FloatAttr epsilon = raiser.builder.getF64FloatAttr(*eps);
    if (!centre) {
      if (bias)
        return {}; // a sum of a norm and something else
      Value from = raiser.rows(root, columns);
      return from ? RmsNormOp::create(raiser.builder, raiser.loc, from.getType(), from,
                                      raiser.weight(left[0]), epsilon)
                  : Value();
    }
    if (group != columns)
      return raiser.refuse("a layer norm of groups of columns");
    Value from = raiser.rows(algebra.substitute(centre, {{sum->index, column}}), columns);
    if (!from)
      return {};
    return LayerNormOp::create(raiser.builder, raiser.loc, from.getType(), from,
                               raiser.weight(left[0]), bias ? raiser.weight(bias) : Value(),
                               epsilon);
  }
  return {};
}

} // namespace llmir::llm::raise
