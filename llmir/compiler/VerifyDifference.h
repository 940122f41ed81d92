// Where two runs of the interpreter part: at which op, and by how much. --verify's message is made
// of it.
#pragma once

#include "llmir/reference/Interpreter.h"

namespace llmir {

/// What a function gave, and every f32 tensor on the way: its op and a hash of its numbers.
struct TracedRun {
  std::vector<reference::Tensor> tensors;
  reference::KvCache cache;
  std::vector<std::pair<mlir::Operation *, uint64_t>> trace;
};

/// Whether shapes and bits are equal; all NaNs are alike.
bool haveSameBits(const std::vector<reference::Tensor> &a, const std::vector<reference::Tensor> &b);
/// Of all its slots.
uint64_t hashOf(const reference::KvCache &cache);
/// For TracedRun::trace: goes into Options::observe.
std::function<void(mlir::Operation *, const reference::Tensor &)>
tracer(std::vector<std::pair<mlir::Operation *, uint64_t>> &trace);

/// "'%3 = llm.scale …' in @layer is the first op with a new value": the first op of `after` whose
/// value no op of `before` gives, or if there is none, the first of `before` that is lost.
std::string describeFirstOp(const TracedRun &before, const TracedRun &after);
/// "the largest difference is 0.5 (1.5 before, 2 after) at row 3, column 7 of result 0".
std::string describeLargest(const TracedRun &before, const TracedRun &after);

} // namespace llmir
