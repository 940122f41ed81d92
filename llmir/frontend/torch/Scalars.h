// Arithmetic on the scalars within a generic op, for whichever type they have.
#pragma once

#include "mlir/IR/Builders.h"

namespace llmir::frontend::torch {

struct Scalars {
  mlir::OpBuilder &builder;
  mlir::Location loc;

  mlir::Value number(mlir::Type type, double value) const;
  mlir::Value integer(mlir::Type type, int64_t value) const;
  /// torch's conversion: floats to integers toward zero, anything to bool by "is not 0".
  mlir::Value convert(mlir::Value value, mlir::Type type) const;

  mlir::Value add(mlir::Value a, mlir::Value b) const;
  mlir::Value subtract(mlir::Value a, mlir::Value b) const;
  mlir::Value multiply(mlir::Value a, mlir::Value b) const;
  mlir::Value divide(mlir::Value a, mlir::Value b) const; ///< floats
  mlir::Value maximum(mlir::Value a, mlir::Value b) const;
  mlir::Value minimum(mlir::Value a, mlir::Value b) const;

  enum class Order { Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual };
  mlir::Value compare(Order order, mlir::Value a, mlir::Value b) const;
};

} // namespace llmir::frontend::torch
