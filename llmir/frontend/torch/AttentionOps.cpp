// scaled_dot_product_attention, written out in primitive ops.
#include "llmir/frontend/torch/Call.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include <cmath>
#include <limits>

using namespace mlir;
namespace llmir::frontend::torch {

namespace {

/// Scores where `isSeen` holds, else -∞.
Tensor hide(TensorBuilder &g, ArrayRef<Tensor> scoresAndMask,
            llvm::function_ref<Value(const Scalars &, ValueRange)> isSeen) {
  const Tensor &scores = scoresAndMask[0];
  return g.map(scoresAndMask, scores.sizes, scores.element(),
               [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
                 const Scalars s{b, loc};
                 Value hidden =
                     s.number(scores.element(), -std::numeric_limits<double>::infinity());
                 return arith::SelectOp::create(b, loc, isSeen(s, v), v[0], hidden);
               });
}

/// Query i sees the keys j <= i.
Tensor hideLater(TensorBuilder &g, const Tensor &scores) {
  const int64_t rank = scores.rank();
  return hide(g, scores, [&](const Scalars &s, ValueRange) {
    Value i = TensorBuilder::position(s.builder, s.loc, rank - 2),
          j = TensorBuilder::position(s.builder, s.loc, rank - 1);
    return s.compare(Scalars::Order::LessEqual, j, i);
  });
}

/// A boolean mask says what is seen, one of floats is added.
Tensor mask(TensorBuilder &g, const Tensor &scores, const Tensor &mask) {
  if (mask.element().isInteger(1))
    return hide(g, {scores, mask}, [](const Scalars &, ValueRange v) { return v[1]; });
  return g.map({scores, mask}, scores.sizes, scores.element(),
               [](OpBuilder &b, Location loc, ValueRange v) {
                 const Scalars s{b, loc};
                 return s.add(v[0], s.convert(v[1], v[0].getType()));
               });
}

/// The heads of k or v as many times as `heads` of the query asks for.
Tensor repeatHeads(TensorBuilder &g, const Tensor &input, const SizeExpression &heads) {
  const int64_t dim = input.rank() - 3;
  const SizeExpression &own = input.sizes[dim];
  if (!heads.isInteger() || !own.isInteger() || own.value < 1 || heads.value % own.value)
    refuse("{} heads are no multiple of {}", heads.text(), own.text());
  return g.repeatInterleave(input, dim, heads.value / own.value);
}

void attention(Call &c) {
  TensorBuilder &g = c.g;
  const Type element = c.resultElement(), compute = computeType(element);
  Tensor q = g.cast(c.tensor("query"), compute), k = g.cast(c.tensor("key"), compute),
         v = g.cast(c.tensor("value"), compute);
  if (q.rank() < 2 || k.rank() < 2 || v.rank() < 2)
    refuse("query, key and value need two dimensions at least");
  if (c.number("dropout_p", 0) != 0)
    refuse("has dropout: call .eval() on the model before it is exported");
  if (c.flag("enable_gqa") && q.rank() >= 3 && k.rank() >= 3 && v.rank() >= 3) {
    const SizeExpression heads = q.sizes[q.rank() - 3];
    k = repeatHeads(g, k, heads);
    v = repeatHeads(g, v, heads);
  }
  const SizeExpression &columns = q.sizes.back();
  if (!c.has("scale") && (!columns.isInteger() || columns.value < 1))
    refuse("heads of {} columns have no default scale", columns.text());
  const double scale = c.has("scale") ? c.number("scale") : 1 / std::sqrt(double(columns.value));
  auto order = llvm::to_vector(llvm::seq<int64_t>(0, k.rank()));
  std::swap(order[k.rank() - 1], order[k.rank() - 2]);
  const Tensor products = matmul(g, q, g.transpose(k, order));
  Tensor scores = g.map(products, products.sizes, compute,
                        [&](OpBuilder &b, Location loc, ValueRange arguments) {
                          const Scalars s{b, loc};
                          return s.multiply(arguments[0], s.number(compute, scale));
                        });
  if (c.flag("is_causal"))
    scores = hideLater(g, scores);
  if (auto given = c.optionalTensor("attn_mask"))
    scores = mask(g, scores, *given);
  c.give(g.cast(matmul(g, softmax(g, scores, scores.rank() - 1), v), element));
}

constexpr AtenOp ops[] = {
    {"scaled_dot_product_attention.default", attention},
};

} // namespace

std::span<const AtenOp> attentionOps() { return ops; }

} // namespace llmir::frontend::torch
