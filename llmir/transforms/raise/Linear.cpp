// Products with weights, and rows of tables looked up by token or position.
#include "llmir/transforms/raise/Raiser.h"

namespace llmir::llm::raise {

using namespace mlir;

Value raiseEmbedding(Raiser &raiser, Expr x, int64_t columns) {
  WeightOp weight = raiser.weightOf(x);
  if (!weight || x->args.size() != 2 ||
      x->args[1] != raiser.algebra.index(raiser.column(columns)) ||
      weight.getTensorType().getDimSize(1) != columns)
    return {};
  Expr row = x->args[0];
  bool byToken = row->is(Kind::Load) && row->base == Base::Tokens &&
                 row->args[0] == raiser.algebra.index(raiser.token());
  if (!byToken && row != raiser.algebra.index(raiser.token()))
    return {};
  return EmbedOp::create(raiser.builder, raiser.loc, raiser.rowsType(columns),
                         byToken ? raiser.tokens : raiser.positions, raiser.weight(x));
}

Value raiseLinear(Raiser &raiser, Expr x, int64_t columns) {
  if (!x->is(Kind::Sum))
    return {};
  Algebra &algebra = raiser.algebra;
  AffineExpr inner = x->index, column = raiser.column(columns);
  Expr weight = nullptr;
  SmallVector<Expr> rest;
  for (Expr factor : algebra.factors(x->args[0])) {
    if (raiser.weightOf(factor) && factor->args.size() == 2 && !weight &&
        algebra.asIndex(factor->args[0]) && algebra.dependsOn(factor, inner) &&
        (columns == 1 || algebra.dependsOn(factor, column)))
      weight = factor;
    else
      rest.push_back(factor);
  }
  if (!weight)
    return {};
  Expr input = algebra.mul(rest);
  if (columns > 1 && algebra.dependsOn(input, column))
    return {};
  int64_t innerColumns = algebra.space.extentOf(inner);
  RankedTensorType type = raiser.weightOf(weight).getTensorType();
  bool isWhole = type.getDimSize(0) == columns && type.getDimSize(1) == innerColumns;
  if (!isWhole || weight->args[0] != algebra.index(column) ||
      weight->args[1] != algebra.index(inner))
    return raiser.refuse(
        "a product with weight '" + raiser.weightOf(weight).getSymName() +
        "' that is transposed or of some of its rows: only whole matrices [out, in] can be raised");
  Value from =
      raiser.rows(algebra.substitute(input, {{inner, raiser.column(innerColumns)}}), innerColumns);
  if (!from)
    return {};
  return LinearOp::create(raiser.builder, raiser.loc, raiser.rowsType(columns), from,
                          raiser.weight(weight), Value());
}

Value raiseBias(Raiser &raiser, Expr x, int64_t columns) {
  if (!x->is(Kind::Add) || x->args.size() != 2)
    return {};
  for (int side : {0, 1}) {
    Expr bias = x->args[side], product = x->args[1 - side];
    if (!raiser.weightOf(bias) || bias->args.size() != 1 ||
        bias->args[0] != raiser.algebra.index(raiser.column(columns)) || !product->is(Kind::Load) ||
        product->base != Base::Rows)
      continue;
    auto linear = raiser.rows(product, columns).getDefiningOp<LinearOp>();
    if (!linear || linear.getBias())
      continue;
    return LinearOp::create(raiser.builder, raiser.loc, raiser.rowsType(columns), linear.getX(),
                            linear.getWeight(), raiser.weight(bias));
  }
  return {};
}

} // namespace llmir::llm::raise
