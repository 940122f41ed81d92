// The state of raising one graph, and the recognisers: each takes the expression of an element of a
// row and makes the ops that compute the rows, or says why it is not of its kind.
#pragma once

#include "llmir/transforms/raise/Elements.h"
#include "mlir/IR/Builders.h"

namespace llmir::llm::raise {

class Raiser {
public:
  explicit Raiser(GraphOp graph);

  /// Replaces @forward; emits an error and fails if anything in it cannot be raised.
  mlir::LogicalResult run();

  /// The rows tensor<?xDxf32> with the element `x`, over token() and column(columns); null if it
  /// cannot be raised, and `reason` says why.
  mlir::Value rows(Expr x, int64_t columns);
  /// Null, and notes why: the first reason of the innermost expression is what a user is told.
  mlir::Value refuse(const llvm::Twine &why);

  mlir::AffineExpr token() { return elements.token(); }
  mlir::AffineExpr column(int64_t columns) { return elements.column(columns); }
  Expr rowsLoad(mlir::Value rows, mlir::AffineExpr column);
  mlir::RankedTensorType rowsType(int64_t columns);
  /// The weight behind a load, as it is declared.
  WeightOp weightOf(Expr load);
  mlir::Value weight(Expr load);

  Algebra algebra;
  Elements elements;
  mlir::OpBuilder builder;
  mlir::Location loc;
  mlir::Value batch, tokens, positions;
  std::string reason;

private:
  mlir::LogicalResult setArguments();
  mlir::LogicalResult raiseBody();

  GraphOp graph;
  mlir::func::FuncOp raw, raised;
  llvm::DenseMap<Expr, mlir::Value> known;
  llvm::DenseMap<const void *, mlir::Value> weights;
};

// The recognisers. Null without a reason: not of this kind.
mlir::Value raiseEmbedding(Raiser &raiser, Expr x, int64_t columns);
mlir::Value raiseLinear(Raiser &raiser, Expr x, int64_t columns);
mlir::Value raiseBias(Raiser &raiser, Expr x, int64_t columns);
mlir::Value raiseNorm(Raiser &raiser, Expr x, int64_t columns);
mlir::Value raiseRope(Raiser &raiser, Expr x, int64_t columns);
mlir::Value raiseElementwise(Raiser &raiser, Expr x, int64_t columns);
/// Of a product with values: the attention whose value heads have `headColumns` columns.
mlir::Value raiseAttention(Raiser &raiser, Expr x, int64_t columns, int64_t headColumns);

/// Whether an expression reads activations or weights.
bool readsData(Algebra &algebra, Expr x);

} // namespace llmir::llm::raise
