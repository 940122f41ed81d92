// Tensors of any rank, as graphs of frameworks have them, for the interpreter of such graphs.
#pragma once

#include "llmir/support/Error.h"
#include "mlir/IR/BuiltinTypes.h"
#include <cstdint>
#include <vector>

namespace llmir::reference {

/// A number of any type that graphs compute with: `real` of floats, `integer` of integers and index
/// (i1: 0 or 1; others with their sign).
struct Scalar {
  double real = 0;
  int64_t integer = 0;
};

/// Row-major; every number is one that the element type can hold.
struct DenseTensor {
  std::vector<int64_t> shape;
  std::vector<Scalar> values;

  /// Elements of a shape. Errors: a negative dimension; more elements than the interpreter takes.
  static Expected<int64_t> count(llvm::ArrayRef<int64_t> shape);
  static Expected<DenseTensor> make(std::vector<int64_t> shape, Scalar value = {});
};

/// The nearest number that `type` can hold.
Scalar roundTo(mlir::Type type, Scalar value);

} // namespace llmir::reference
