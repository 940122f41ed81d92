// The layers of an unrolled function: where each begins and ends, and what makes two of them alike.
#pragma once

#include "llmir/dialect/Llm.h"
#include <vector>

namespace llmir::llm {

/// A run of ops that reads one tensor of activations and gives one, and holds attention.
struct Layer {
  int64_t number;                           ///< in the cache; without one, counted from 0
  llvm::SmallVector<mlir::Operation *> ops; ///< in order, without those of isInvariant
  mlir::Value input, output;                ///< tensor<?xDxf32>
  mlir::Value kvInput, kvOutput;            ///< null if the layer has no cache
};

/// Whether an op gives the same wherever in the function it stands: a constant, a weight, a field
/// of the batch.
bool isInvariant(mlir::Operation *op);

/// The number of an index that is a constant.
std::optional<int64_t> constantIndex(mlir::Value value);

/// Layers with equal keys compute the same but for weights, windows and rotations. Without
/// `weightTypes` the element types of weights may differ too.
using LayerKey = std::vector<const void *>;
LayerKey keyOf(const Layer &layer, bool weightTypes);

/// The layers of `function`, which is one block, in order. Where there are fewer than two
/// attentions there are none. With `remarks` it says why attention is in no layer.
std::vector<Layer> findLayers(mlir::func::FuncOp function, bool remarks = true);

} // namespace llmir::llm
