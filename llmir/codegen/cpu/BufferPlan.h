// Where the activations of a function live: every value gets an offset in the arena, buffers are
// reused when dead. All sizes are bytes per token, since every activation has one row, or a fixed
// number of them, per token of the step.
#pragma once

#include "llmir/dialect/Llm.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/MapVector.h"

namespace llmir::cpu {

/// Whether values of this type lie in the arena: rows of numbers, and the experts of tokens.
bool isBuffer(mlir::Type type);

/// Bytes from one row to the next: the row's own, rounded up to a cache line. Numbers of experts
/// are one dense list.
int64_t rowStride(mlir::Type buffer);

/// Bytes from one token's first row to the next token's.
int64_t tokenStride(mlir::Type buffer);

/// The value that defines the memory behind `value`: looks through the arguments and results of
/// llm.fuse regions, and through functions of single elements, which overwrite an operand that
/// nothing else in its phase reads.
mlir::Value rootOf(mlir::Value value);

/// The plan of one function. A buffer is live from the phase that defines it to the last phase that
/// uses it; buffers whose lives share a phase never overlap, because workers run through a phase at
/// their own pace.
struct BufferPlan {
  llvm::MapVector<mlir::Value, int64_t>
      offsets; ///< root value -> offset within the function's frame
  int64_t frameBytes = 0;

  /// Values in `elsewhere` (roots that live in memory the caller gives) get no buffer.
  static BufferPlan of(mlir::func::FuncOp function, const llvm::DenseSet<mlir::Value> &elsewhere);
};

} // namespace llmir::cpu
