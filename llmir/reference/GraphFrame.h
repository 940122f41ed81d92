// The values of a running graph, and what runs its groups of ops.
#pragma once

#include "llmir/reference/DenseTensor.h"
#include "llmir/reference/Machine.h"

namespace llmir::reference {

class GraphFrame {
public:
  using Value = std::shared_ptr<const DenseTensor>; ///< a scalar is a tensor without dimensions

  const DenseTensor &tensor(mlir::Value value) const { return *values.find(value)->second; }
  bool has(mlir::Value value) const { return values.contains(value); }
  Scalar scalar(mlir::Value value) const { return tensor(value).values.front(); }
  int64_t index(mlir::OpFoldResult value) const;
  std::vector<int64_t> indices(llvm::ArrayRef<mlir::OpFoldResult> range) const;
  /// Rounds the numbers to the value's type. Errors: a shape that the type contradicts.
  Status set(mlir::Value value, DenseTensor tensor);
  void release(mlir::Value value) { values.erase(value); }

private:
  llvm::DenseMap<mlir::Value, Value> values;
};

/// Runs an op of tensor; false if it is none of those that are known.
Expected<bool> runTensorOp(mlir::Operation *op, GraphFrame &frame);
/// Runs a structured op of linalg; false if it is none.
Expected<bool> runLinalgOp(mlir::Operation *op, GraphFrame &frame);

/// Where an element lies; -1 if an index is out of bounds.
int64_t offsetOf(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> indices);

} // namespace llmir::reference
