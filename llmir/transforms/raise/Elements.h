// What the elements of a raw graph's tensors are computed from: the one place that knows the ops of
// linalg, tensor, arith and math. All that only moves elements (reshape, transpose, slice,
// broadcast, concatenate) is gone behind it.
#pragma once

#include "llmir/dialect/Llm.h"
#include "llmir/transforms/raise/Expr.h"
#include <functional>

namespace llmir::llm::raise {

/// A value tensor<?xDxf32> of the raised function: the dimensions of a raw tensor as row and
/// column.
struct Flat {
  Expr element = nullptr; ///< over `token` and `column`
  mlir::AffineExpr token, column;
  int64_t columns = 0;
  mlir::AffineExpr position;                  ///< the raw tensor's dimension of tokens
  llvm::SmallVector<mlir::AffineExpr> places; ///< the other dimensions, outer first
  llvm::SmallVector<int64_t> extents;         ///< of the other dimensions
};

class Elements {
public:
  /// `known` gives the rows that an expression over token and column is raised to, or null.
  Elements(Algebra &algebra, std::function<mlir::Value(Expr)> known)
      : algebra(algebra), known(std::move(known)) {}

  /// The element of `tensor` at its position variables.
  Expr element(mlir::Value tensor);
  /// The variables of the tensor's dimensions.
  llvm::SmallVector<mlir::AffineExpr> positions(mlir::Value tensor);
  /// The tensor as rows; nothing if it has not exactly one dynamic dimension, that of the tokens.
  std::optional<Flat> flatten(mlir::Value tensor);
  void setElement(mlir::Value tensor, Expr element) { elements[tensor] = element; }
  mlir::AffineExpr token() {
    return algebra.space.variable(Role::Position, 0, mlir::ShapedType::kDynamic);
  }
  mlir::AffineExpr column(int64_t columns) {
    return algebra.space.variable(Role::Position, 1, columns);
  }

private:
  using Scalars = llvm::DenseMap<mlir::Value, Expr>;
  Expr read(mlir::Value tensor, llvm::ArrayRef<Expr> indices, bool isSlice = false);
  Expr compute(mlir::Value tensor);
  /// Whether all of these dynamic extents are the number of tokens.
  bool areTokens(mlir::ValueRange extents);
  Expr computeGeneric(mlir::Operation *op, unsigned result);
  Expr computeReshape(mlir::Operation *op);
  Expr computeStack(mlir::tensor::ExpandShapeOp op);
  Expr computeSlice(mlir::tensor::ExtractSliceOp op);
  Expr computeConcat(mlir::tensor::ConcatOp op);
  /// A number or index that is no tensor's element: a size, a constant, or of a body.
  Expr scalar(mlir::Value value, Scalars &scalars);
  Expr scalarOp(mlir::Operation *op, llvm::ArrayRef<Expr> args, Scalars &scalars);

  Algebra &algebra;
  std::function<mlir::Value(Expr)> known;
  llvm::DenseMap<mlir::Value, Expr> elements;
  /// Tensors with another dynamic extent than the number of tokens: only slices may read them.
  llvm::DenseSet<mlir::Value> otherLengths;
};

/// An op of arith or math on numbers that are known as expressions; null if it has no expression.
Expr scalarExpression(Algebra &algebra, mlir::Operation *op, llvm::ArrayRef<Expr> args);

} // namespace llmir::llm::raise
