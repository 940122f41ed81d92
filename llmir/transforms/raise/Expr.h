// Elements of tensors as scalar expressions: what an element is computed from, whatever ops, shapes
// and orders of dimensions the graph spells it with. Expressions are unique (the same meaning in
// normal form is the same pointer), sums and products are flat, and constants are folded.
#pragma once

#include "llmir/transforms/raise/Index.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/FoldingSet.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <deque>

namespace llmir::llm::raise {

enum class Kind : uint8_t {
  Number,
  Index,
  Load,
  Opaque, // leaves
  Add,
  Mul,
  Recip,
  Max,
  Min,
  Exp,
  Log,
  Tanh,
  Erf,
  Sqrt,
  Sin,
  Cos,
  Abs, // of numbers
  Less,
  LessEqual,
  Equal,
  Select, // conditions are 0 or 1
  Sum,
  Largest // over a variable
};

/// What a load reads, and with how many indices.
enum class Base : uint8_t {
  None,
  Rows,   ///< a value tensor<?xDxf32> of the raised function: token, column
  Weight, ///< a symbol: one index for each dimension
  Table,  ///< an inline constant
  Tokens  ///< the ids: token
};

struct Node : llvm::FoldingSetNode {
  Kind kind;
  double number = 0;      ///< Number
  mlir::AffineExpr index; ///< Index; of Sum and Largest the variable
  Base base = Base::None;
  const void *data = nullptr; ///< what a Load reads; of Opaque the op that has no expression
  llvm::SmallVector<const Node *, 2> args;
  unsigned height = 0; ///< how deep sums nest
  unsigned depth = 0;  ///< how deep expressions nest
  size_t serial = 0;
  void Profile(llvm::FoldingSetNodeID &id) const;

  bool is(Kind other) const { return kind == other; }
  bool isNumber(double value) const { return kind == Kind::Number && number == value; }
};
using Expr = const Node *;

/// Makes expressions. What is too deep or too large for raising (hostile, or no model) becomes
/// Opaque.
class Algebra {
public:
  explicit Algebra(mlir::MLIRContext *context) : space(context) {}
  IndexSpace space;

  Expr number(double value);
  Expr index(mlir::AffineExpr expression);
  Expr load(Base base, const void *data, llvm::ArrayRef<Expr> indices);
  Expr opaque(mlir::Operation *op);
  Expr add(llvm::ArrayRef<Expr> args);
  Expr mul(llvm::ArrayRef<Expr> args);
  Expr negate(Expr x) { return mul({number(-1), x}); }
  Expr recip(Expr x);
  Expr apply(Kind kind, llvm::ArrayRef<Expr> args);
  Expr select(Expr condition, Expr yes, Expr no);
  Expr notOf(Expr condition) { return add({number(1), negate(condition)}); }
  /// The sum or maximum over all values of a fresh variable.
  Expr reduce(Kind kind, mlir::AffineExpr variable, Expr body);

  /// A variable or number of an index, if it is one.
  std::optional<mlir::AffineExpr> asIndex(Expr x);
  using Substitution = llvm::DenseMap<mlir::AffineExpr, mlir::AffineExpr>;
  Expr substitute(Expr x, const Substitution &values);
  /// Changes every index expression.
  Expr mapIndices(Expr x, llvm::function_ref<mlir::AffineExpr(mlir::AffineExpr)> change);
  bool dependsOn(Expr x, mlir::AffineExpr variable);
  bool contains(Expr x, llvm::function_ref<bool(Expr)> test);
  /// The value if `leaves` have these; nothing if it needs more than them.
  std::optional<double> evaluate(Expr x, const llvm::DenseMap<Expr, double> &leaves);
  /// x as factors, [x] if it is no product.
  llvm::ArrayRef<Expr> factors(const Expr &x) {
    return x->is(Kind::Mul) ? x->args : llvm::ArrayRef<Expr>(x);
  }

private:
  Expr make(Kind kind, llvm::ArrayRef<Expr> args, mlir::AffineExpr index = {}, double number = 0,
            Base base = Base::None, const void *data = nullptr);
  Expr rebuild(Expr x, llvm::ArrayRef<Expr> args);

  llvm::FoldingSet<Node> nodes;
  std::deque<Node> storage;
};

/// x as ordinary number of a kind, e.g. exp.
std::optional<double> compute(Kind kind, llvm::ArrayRef<double> args);
/// A table's element by its place in row-major order.
double elementOf(mlir::DenseElementsAttr table, int64_t place);

} // namespace llmir::llm::raise
