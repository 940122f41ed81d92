// Attention: a product of softmax(scores) with values, whatever the order of heads, tokens and
// columns, however KV heads are shared, and wherever the scale and the division by the sum stand.
// What PyTorch puts around softmax for rows that see no key is dropped: no mask of ours has any.
#include "llmir/transforms/raise/Mask.h"

#include <limits>

namespace llmir::llm::raise {

using namespace mlir;

namespace {
constexpr int64_t maxHeads = 1 << 16;

struct Softmax {
  Expr scores = nullptr;
  Expr values = nullptr; // over key, head and value column
  AffineExpr key;
};

/// The weights in `any score is not -inf ? weights : 0`, and the scores that it asks about, over
/// `key`: as soon as a mask lets each query see a key, the weights are all that is left.
struct Guarded {
  Expr weights, scores;
};

std::optional<Guarded> splitGuard(Algebra &algebra, Expr x, AffineExpr key) {
  if (!x->is(Kind::Select))
    return std::nullopt;
  Expr any = nullptr;
  bool hasAny = algebra.contains(x->args[0], [&](Expr node) {
    any = node;
    return node->is(Kind::Largest);
  });
  if (hasAny && !ShapedType::isDynamic(algebra.space.extentOf(any->index)))
    return std::nullopt;
  auto seen = hasAny ? algebra.evaluate(x->args[0], {{any, 1}}) : std::nullopt;
  if (!seen || !x->args[*seen != 0 ? 2 : 1]->isNumber(0))
    return std::nullopt;
  Expr isSeen = algebra.substitute(any->args[0], {{any->index, key}}), scores = nullptr;
  Expr least = algebra.number(-std::numeric_limits<double>::infinity());
  algebra.contains(isSeen, [&](Expr node) {
    if (node->is(Kind::Equal) && node->args[1] == least)
      scores = node->args[0];
    return scores != nullptr;
  });
  if (!scores || isSeen != algebra.notOf(algebra.apply(Kind::Equal, {scores, least})))
    return std::nullopt;
  return Guarded{x->args[*seen != 0 ? 1 : 2], scores};
}

/// The parts of sum_j exp(scores - maximum) * values / sum_j exp(scores - maximum).
std::optional<Softmax> splitSoftmax(Algebra &algebra, Expr x, AffineExpr query) {
  Softmax parts;
  Expr sum = nullptr, weight = nullptr, divisor = nullptr;
  SmallVector<Expr> factors, values;
  for (Expr factor : algebra.factors(x))
    if (factor->is(Kind::Sum) && !sum)
      sum = factor;
    else
      factors.push_back(factor);
  if (!sum || !ShapedType::isDynamic(algebra.space.extentOf(sum->index)))
    return std::nullopt;
  parts.key = sum->index;
  Expr guardedScores = nullptr;
  for (Expr factor : algebra.factors(sum->args[0])) {
    if (auto guarded = splitGuard(algebra, factor, parts.key)) {
      if (guardedScores)
        return std::nullopt;
      guardedScores = guarded->scores;
      factor = guarded->weights;
    }
    llvm::append_range(factors, algebra.factors(factor));
  }
  for (Expr factor : factors) {
    if (factor->is(Kind::Exp) && algebra.dependsOn(factor, query) && !weight)
      weight = factor;
    else if (factor->is(Kind::Recip) && factor->args[0]->is(Kind::Sum) &&
             algebra.dependsOn(factor, query) && !divisor)
      divisor = factor->args[0];
    else
      values.push_back(factor);
  }
  if (!weight || !divisor || !ShapedType::isDynamic(algebra.space.extentOf(divisor->index)) ||
      algebra.substitute(divisor->args[0], {{divisor->index, parts.key}}) != weight)
    return std::nullopt;
  parts.values = algebra.mul(values);
  // What is the same for all keys, such as the maximum, softmax does not see.
  SmallVector<Expr> terms;
  Expr exponent = weight->args[0];
  for (Expr term :
       exponent->is(Kind::Add) ? ArrayRef<Expr>(exponent->args) : ArrayRef<Expr>(exponent))
    if (algebra.dependsOn(term, parts.key))
      terms.push_back(term);
  parts.scores = algebra.add(terms);
  if (guardedScores && guardedScores != parts.scores)
    return std::nullopt;
  return algebra.dependsOn(parts.values, query) ? std::nullopt : std::optional(parts);
}

/// The dot products in scores: the one sum over both query and key.
Expr findDot(Algebra &algebra, Expr scores, AffineExpr query, AffineExpr key) {
  Expr dot = nullptr;
  bool isUnique = true;
  DenseSet<Expr> seen;
  auto visit = [&](auto &self, Expr node) -> void {
    if (!seen.insert(node).second)
      return;
    if (node->is(Kind::Sum) && algebra.dependsOn(node, query) && algebra.dependsOn(node, key)) {
      isUnique &= !dot;
      dot = node;
      return;
    }
    for (Expr arg : node->args)
      self(self, arg);
  };
  visit(visit, scores);
  return isUnique ? dot : nullptr;
}
} // namespace

Value raiseAttention(Raiser &raiser, Expr x, int64_t columns, int64_t headColumns) {
  Algebra &algebra = raiser.algebra;
  IndexSpace &space = algebra.space;
  const int64_t heads = columns / headColumns;
  AffineExpr query = raiser.token(), head = space.freshVariable(heads),
             place = space.freshVariable(headColumns);
  x = algebra.substitute(x, {{raiser.column(columns), head * headColumns + place}});
  auto parts = splitSoftmax(algebra, x, query);
  if (!parts)
    return {};
  if (heads > maxHeads)
    return raiser.refuse("attention with more than " + Twine(maxHeads) + " heads");
  AffineExpr key = parts->key;
  Expr dot = findDot(algebra, parts->scores, query, key);
  if (!dot)
    return raiser.refuse("the scores of attention are not one dot product of query and key");
  double scale = 1;
  SmallVector<Expr> queries, keys;
  for (Expr factor : algebra.factors(dot->args[0])) {
    bool ofQuery = algebra.dependsOn(factor, query), ofKey = algebra.dependsOn(factor, key);
    if (factor->is(Kind::Number))
      scale = factor->number;
    else if (ofQuery == ofKey)
      return raiser.refuse(
          "a factor in the dot product of attention belongs to neither query nor key alone");
    else
      (ofQuery ? queries : keys).push_back(factor);
  }
  if (queries.empty() || keys.empty())
    return {};
  auto scores = readScores(raiser, parts->scores, dot, query, key);
  if (!scores)
    return {};
  if (!(scale * scores->scale > 0))
    return raiser.refuse("attention with a scale of " +
                         Twine(std::to_string(scale * scores->scale)) + ", which is not positive");

  // As many query heads share a KV head as can be rounded down to the first of them.
  Expr keyPart = algebra.mul(keys);
  int64_t shared = 1;
  for (int64_t group = heads; group > 1; --group) {
    auto isShared = [&](Expr part) {
      return algebra.substitute(part, {{head, head.floorDiv(group) * group}}) == part;
    };
    if (heads % group == 0 && isShared(keyPart) && isShared(parts->values)) {
      shared = group;
      break;
    }
  }
  auto rows = [&](Expr part, AffineExpr token, AffineExpr inner, int64_t count, int64_t width,
                  int64_t step) {
    Algebra::Substitution values;
    AffineExpr column = raiser.column(count * width);
    values[token] = raiser.token();
    if (isa<AffineDimExpr>(inner))
      values[inner] = column % width;
    if (isa<AffineDimExpr>(head))
      values[head] = column.floorDiv(width) * step;
    return raiser.rows(algebra.substitute(part, values), count * width);
  };
  int64_t width = space.extentOf(dot->index);
  Value q = rows(algebra.mul(queries), query, dot->index, heads, width, 1);
  Value k = q ? rows(keyPart, key, dot->index, heads / shared, width, shared) : Value();
  Value v = k ? rows(parts->values, key, place, heads / shared, headColumns, shared) : Value();
  if (!v)
    return {};
  OpBuilder &b = raiser.builder;
  return DenseAttentionOp::create(
      b, raiser.loc, raiser.rowsType(columns), q, k, v, raiser.batch,
      b.getI64IntegerAttr(heads / shared), b.getF64FloatAttr(scale * scores->scale),
      scores->window ? b.getI64IntegerAttr(*scores->window) : IntegerAttr(),
      scores->softcap ? b.getF64FloatAttr(*scores->softcap) : FloatAttr());
}

} // namespace llmir::llm::raise
