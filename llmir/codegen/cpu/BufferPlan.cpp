// Live ranges by phase and first fit in order of definition; see BufferPlan.h.
#include "llmir/codegen/cpu/BufferPlan.h"

#include "llvm/ADT/MapVector.h"

using namespace mlir;
namespace llmir::cpu {

bool isBuffer(Type type) { return llm::isRows(type) || llm::isExpertNumbers(type); }

int64_t rowStride(Type buffer) {
  auto tensor = cast<RankedTensorType>(buffer);
  const int64_t columns = tensor.getShape().back();
  if (llm::isExpertNumbers(buffer))
    return columns * 4;
  return llvm::alignTo(rowBytes(*llm::formatOf(tensor.getElementType()), columns), 64);
}

int64_t tokenStride(Type buffer) { return llm::rowsPerToken(buffer) * rowStride(buffer); }

/// The operand whose memory the op that defines `value` takes over, or null.
static Value overwrittenBy(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || !isa<llm::ScaleOp, llm::SoftcapOp, llm::ActivateOp>(op))
    return {};
  Operation *source = op->getOperand(0).getDefiningOp();
  bool isOfPhase =
      source && isa<llm::FuseOp>(op->getParentOp()) && source->getParentOp() == op->getParentOp();
  return isOfPhase && op->getOperand(0).hasOneUse() ? op->getOperand(0) : Value();
}

Value rootOf(Value value) {
  while (true) {
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      auto fuse = dyn_cast<llm::FuseOp>(argument.getOwner()->getParentOp());
      if (!fuse)
        return value;
      value = fuse.getInputs()[argument.getArgNumber()];
    } else if (auto fuse = value.getDefiningOp<llm::FuseOp>()) {
      value = fuse.getBody().front().getTerminator()->getOperand(
          cast<OpResult>(value).getResultNumber());
    } else if (Value operand = overwrittenBy(value)) {
      value = operand;
    } else {
      return value;
    }
  }
}

namespace {
struct LiveRange {
  int64_t first, last; // phases, both included
  int64_t bytes;
  int64_t offset = 0;
};
} // namespace

BufferPlan BufferPlan::of(func::FuncOp function, const llvm::DenseSet<Value> &elsewhere) {
  llvm::MapVector<Value, LiveRange> ranges;
  int64_t phase = 0;
  for (Operation &top : function.getBody().front()) {
    top.walk([&](Operation *op) {
      for (Value operand : op->getOperands())
        if (auto range = ranges.find(rootOf(operand)); range != ranges.end())
          range->second.last = phase;
      if (isa<llm::FuseOp>(op))
        return;
      for (Value result : op->getResults())
        if (isBuffer(result.getType()) && rootOf(result) == result && !elsewhere.contains(result))
          ranges.insert({result, LiveRange{phase, phase, tokenStride(result.getType())}});
    });
    ++phase;
  }
  BufferPlan plan;
  SmallVector<LiveRange *> placed;
  for (auto &[value, range] : ranges) {
    // The lowest gap among the buffers that are live at the same time; `placed` is sorted by
    // offset.
    int64_t offset = 0;
    for (LiveRange *other : placed)
      if (other->first <= range.last && range.first <= other->last) {
        if (offset + range.bytes <= other->offset)
          break;
        offset = std::max(offset, other->offset + other->bytes);
      }
    range.offset = offset;
    placed.insert(
        llvm::upper_bound(placed, offset, [](int64_t o, LiveRange *r) { return o < r->offset; }),
        &range);
    plan.offsets[value] = offset;
    plan.frameBytes = std::max(plan.frameBytes, offset + range.bytes);
  }
  return plan;
}

} // namespace llmir::cpu
