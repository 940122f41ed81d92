// The lowering of one function of a model: what its parts share. The frame of the function is in
// LowerModel.cpp, phases and who computes what of them in LowerPhases.cpp, the calls of kernels in
// LowerOps.cpp.
#pragma once

#include "llmir/abi/llmir_abi.h"
#include "llmir/codegen/cpu/AttentionKernel.h"
#include "llmir/codegen/cpu/BufferPlan.h"
#include "llmir/codegen/cpu/DescribeKernel.h"
#include "llmir/codegen/cpu/LowerModel.h"
#include "llvm/ADT/MapVector.h"
#include <cstddef>

namespace llmir::cpu {

using mlir::Operation;

inline int64_t columnsOf(Value value) {
  return mlir::cast<mlir::RankedTensorType>(value.getType()).getShape().back();
}

/// A half-open range of rows or columns that belongs to this worker.
struct Range {
  Value from, to;
};

/// The tables of cosines and sines, one for each distinct rotation in the model, filled once at the
/// start of a step.
using RopeTables = llvm::MapVector<llm::RopeAttr, int64_t>; // -> arena bytes per token before it

inline int64_t ropeTableStride(llm::RopeAttr rope) { return llvm::alignTo(rope.getDim() * 4, 64); }

/// What is the same for all functions of a model.
struct ModelContext {
  ModelContext(KernelBuilder &k, llm::ModelOp model, const WeightTable &weights)
      : k(k), model(model), weights(weights) {}
  KernelBuilder &k;
  llm::ModelOp model;
  const WeightTable &weights;
  RopeTables ropeTables;
  int64_t partialsOffset = 0; // arena bytes per token before the partials of attention
  llvm::MapVector<mlir::func::FuncOp, int64_t>
      frames; // -> arena bytes per token before the function's frame
  llvm::DenseMap<mlir::func::FuncOp, BufferPlan> plans;
  llvm::DenseMap<mlir::func::FuncOp, int64_t> numbers; // of the functions that are lowered
};

/// All but the strides.
AttentionSpec attentionSpecOf(llm::AttentionOp op);

/// Lowers one function of the model.
class FunctionLowering {
public:
  FunctionLowering(ModelContext &context, mlir::func::FuncOp source)
      : context(context), k(context.k), source(source), plan(context.plans[source]),
        isStep(source.getSymName() == "step") {}

  Status lower();
  /// What the function consists of, once it is lowered.
  FunctionManifest takeDescription() { return std::move(description); }

private:
  ModelContext &context;
  KernelBuilder &k;
  mlir::func::FuncOp source;
  const BufferPlan &plan;
  const bool isStep;
  std::optional<Error> error;
  FunctionManifest description;
  Operation *lowering = nullptr; // whose kernels are called
  llvm::DenseMap<Operation *, std::vector<std::string>> kernelNames;

  Value args, worker, workers;           // ptr, i64, i64
  Value batch, arena, capacity;          // ptr, ptr, i64
  Value tokens, logitRows;               // i64
  Range tokenRange, logitRange;          // this worker's
  llvm::DenseMap<Value, Value> pointers; // root of an activation -> its row 0
  llvm::DenseMap<Value, Value> indices;  // index value -> i64
  llvm::DenseMap<Value, Value> weightPointers;
  std::optional<Range> headRange; // KV heads that row-wise ops treat; none: all there are
  int64_t phaseKvHeads = 0;       // with headRange: all there are

  std::string loweredName(mlir::func::FuncOp function) {
    return function.getSymName() == "step" ? LLMIR_STEP_SYMBOL
                                           : ("llm_" + function.getSymName()).str();
  }
  llvm::SmallVector<Type> signature(mlir::func::FuncOp function);

  void lowerBody(ValueRange arguments);
  void lowerTop(Operation &op);
  PhaseManifest lowerPhase(llm::FuseOp fuse);
  void lowerPrologue(llvm::ArrayRef<Operation *> prologue, int64_t columnUnit);
  AttentionSplitting lowerAttentionPhase(llvm::ArrayRef<Operation *> prologue,
                                         llm::AttentionOp attention);
  void privateRows(llvm::ArrayRef<Operation *> ops, Value shift);
  void forDecodeItems(llvm::ArrayRef<Operation *> prologue, Value splits,
                      llvm::function_ref<void(Value, Value)> body);
  Value lastPosition(Value count);
  Value isAtMost(Value x, Value y) { return k.lessThan(x, k.add(y, k.index(1))); } // i64
  void lowerOp(Operation &op, llm::Partition partition, int64_t columnUnit);
  void lowerLinear(llm::LinearOp op, int64_t columnUnit);
  void lowerExpertsRoute(llm::ExpertsRouteOp op);
  void lowerExpertsLinear(llm::ExpertsLinearOp op, int64_t columnUnit);
  void lowerExpertsCombine(llm::ExpertsCombineOp op, llm::Partition partition, int64_t columnUnit);
  void lowerElementwise(Operation &op, llm::Partition partition, int64_t columnUnit);
  AttentionSpec attentionSpec(llm::AttentionOp op);
  Values attentionInputs(llm::AttentionOp op);
  void lowerAttention(llm::AttentionOp op);
  Value windowOf(llm::AttentionOp op);
  Value ropeTable(llm::RopeOp op);
  Value perLayer(llvm::StringRef name, llvm::ArrayRef<int64_t> values, Value layer);
  void lowerCall(mlir::func::CallOp call);
  void lowerReturn(mlir::func::ReturnOp op);
  void fillRopeTables();
  void barrier();
  KernelManifest describeOp(Operation &op);
  int64_t layerOf(mlir::func::CallOp call);

  Value field(Value base, size_t offset, Type type) {
    return k.load(k.offset(base, static_cast<int64_t>(offset)), type);
  }
  Value batchInts(size_t offset) { return field(batch, offset, k.ptr); }
  Value batchCount(size_t offset) { return k.extendUnsigned(field(batch, offset, k.i32), k.i64); }
  Value arenaAt(int64_t bytesPerToken) {
    return k.offset(arena, k.mul(capacity, k.index(bytesPerToken)));
  }
  Range share(Value count) {
    return {k.divUnsigned(k.mul(count, worker), workers),
            k.divUnsigned(k.mul(count, k.add(worker, k.index(1))), workers)};
  }
  /// This worker's range of `columns` in units of `unit`, the same for every op of a phase.
  Range columnShare(int64_t columns, int64_t unit) {
    Range units = share(k.index(llvm::divideCeil(columns, unit)));
    return {k.mul(units.from, k.index(unit)),
            k.min(k.mul(units.to, k.index(unit)), k.index(columns))};
  }
  /// The panels of those columns.
  Range panelShare(const PackedLayout &layout, int64_t unit) {
    Range columns = columnShare(layout.n, unit);
    Value rows = k.index(layout.panelRows());
    return {k.divUnsigned(columns.from, rows),
            k.divUnsigned(k.add(columns.to, k.index(layout.panelRows() - 1)), rows)};
  }
  /// This worker's rows and columns of an element-wise result.
  std::pair<Range, Range> elementShare(Value result, llm::Partition partition, int64_t unit) {
    if (partition == llm::Partition::Features)
      return {{k.index(0), rowCount(result)}, columnShare(columnsOf(result), unit)};
    return {rowRange(result), {k.index(0), k.index(columnsOf(result))}};
  }
  /// Whether the rows of a value are the logit rows and not the tokens.
  bool hasLogitRows(Value value) {
    Operation *definition = rootOf(value).getDefiningOp();
    if (!definition || mlir::isa<mlir::func::CallOp>(definition))
      return false;
    if (mlir::isa<llm::LogitRowsOp>(definition))
      return true;
    return llvm::any_of(definition->getOperands(),
                        [&](Value v) { return isBuffer(v.getType()) && hasLogitRows(v); });
  }
  /// This worker's rows of a value: those of its tokens.
  Range rowRange(Value value) {
    Range range = hasLogitRows(value) ? logitRange : tokenRange;
    return {allRows(value, range.from), allRows(value, range.to)};
  }
  Value rowCount(Value value) { return allRows(value, hasLogitRows(value) ? logitRows : tokens); }
  Value allRows(Value value, Value ofTokens) {
    const int64_t rows = llm::rowsPerToken(value.getType());
    return rows == 1 ? ofTokens : k.mul(ofTokens, k.index(rows));
  }
  /// The heads, `columns` wide, of a value's rows that belong to headRange.
  Range headsOf(Value value, int64_t columns) {
    int64_t heads = columnsOf(value) / columns;
    if (!headRange)
      return {k.index(0), k.index(heads)};
    Value perKvHead = k.index(heads / phaseKvHeads);
    return {k.mul(headRange->from, perKvHead), k.mul(headRange->to, perKvHead)};
  }
  Value pointer(Value value) { return pointers.lookup(rootOf(value)); }
  int64_t stride(Value value) {
    Value root = rootOf(value);
    // The logits go into the runtime's own array, whose rows are not padded.
    return isStep && inLogits.contains(root) ? columnsOf(root) * 4 : rowStride(root.getType());
  }
  llvm::DenseSet<Value> inLogits;
  Value weightPointer(Value weight);
  Value kvPointer(Value layer, size_t member) {
    Value row = k.at(field(args, offsetof(llmir_step_args, kv), k.ptr),
                     indices.lookup(rootOf(layer)), sizeof(llmir_kv_layer));
    return field(row, member, k.ptr);
  }
  Value null() { return mlir::LLVM::ZeroOp::create(k.b, k.loc, k.ptr); }
  void call(mlir::func::FuncOp kernel, ValueRange operands) {
    if (lowering)
      if (auto &names = kernelNames[lowering]; !llvm::is_contained(names, kernel.getName()))
        names.push_back(kernel.getName().str());
    mlir::func::CallOp::create(k.b, k.loc, kernel, operands);
  }
  void unsupported(Operation &op, llvm::StringRef what) {
    if (!error)
      error = Error{fmt::format("no CPU code generation for {}{}",
                                op.getName().getStringRef().str(), what.str())};
  }
};

} // namespace llmir::cpu
