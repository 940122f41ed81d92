// Index expressions in one normal form: a sum of multiples of variables, of the number of tokens
// and of floor divisions. Two accesses of a tensor are the same if their normal forms are, however
// the code has reshaped, transposed and sliced it.
#pragma once

#include "mlir/IR/AffineExpr.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include <map>
#include <optional>
#include <tuple>

namespace llmir::llm::raise {

/// What a variable stands for.
enum class Role {
  Position, ///< a dimension of the tensor that is looked at
  Bound,    ///< what a sum goes over; numbered by how deep sums nest in it
  Fresh     ///< in between
};

/// A sum of multiples of atoms: variables, the symbol T and floor divisions.
struct Linear {
  llvm::SmallVector<std::pair<mlir::AffineExpr, int64_t>> terms;
  int64_t constant = 0;
};

struct Bounds {
  std::optional<int64_t> low, high;
};

/// The variables of index expressions with their extents (they go from 0 to extent - 1), and the
/// normal form.
class IndexSpace {
public:
  explicit IndexSpace(mlir::MLIRContext *context) : context(context) {}

  /// The same arguments give the same variable. One of extent 1 is the constant 0; kDynamic is
  /// without limit.
  mlir::AffineExpr variable(Role role, int64_t number, int64_t extent);
  mlir::AffineExpr freshVariable(int64_t extent) { return variable(Role::Fresh, fresh++, extent); }
  /// The number of tokens of the sequence.
  mlir::AffineExpr tokens() { return mlir::getAffineSymbolExpr(0, context); }
  mlir::AffineExpr constant(int64_t value) { return mlir::getAffineConstantExpr(value, context); }
  int64_t extentOf(mlir::AffineExpr variable) const;

  mlir::AffineExpr normal(mlir::AffineExpr expression) { return build(linear(expression)); }
  Linear linear(mlir::AffineExpr expression);
  Bounds bounds(const Linear &sum);

private:
  mlir::AffineExpr build(Linear sum);
  Linear floorDivide(Linear sum, int64_t by);

  mlir::MLIRContext *context;
  std::map<std::tuple<Role, int64_t, int64_t>, unsigned> numbers;
  llvm::SmallVector<int64_t> extents;
  int64_t fresh = 0;
};

} // namespace llmir::llm::raise
