// Phases: who computes which part of them, and where workers wait for each other. The ops in front
// of the first product or attention of a phase are its prologue.
#include "llmir/codegen/cpu/FunctionLowering.h"

#include <numeric>

using namespace mlir;
namespace llmir::cpu {

namespace {

/// Up to so many rows every worker computes the prologue of a phase for itself; beyond, sharing the
/// rows and a barrier is cheaper.
constexpr int64_t mostRowsReplicated = 4;
/// With fewer items (token, KV head) for each worker, attention shares the splits of contexts.
constexpr int64_t fewItemsPerWorker = 4;

bool isProductOrAttention(Operation &op) {
  return isa<llm::LinearOp, llm::ExpertsLinearOp, llm::AttentionOp>(op);
}

} // namespace

/// The unit in which a phase's columns are shared: whole panels of every product in it.
static int64_t columnUnitOf(llm::FuseOp fuse, const WeightTable &weights) {
  int64_t unit = 16;
  auto add = [&](auto product) {
    if (auto get = rootOf(product.getWeight()).template getDefiningOp<llm::GetWeightOp>())
      unit = std::lcm(unit, weights.at(get.getWeight()).layout->panelRows());
  };
  llvm::for_each(fuse.getBody().getOps<llm::LinearOp>(), add);
  llvm::for_each(fuse.getBody().getOps<llm::ExpertsLinearOp>(), add);
  return unit;
}

PhaseManifest FunctionLowering::lowerPhase(llm::FuseOp fuse) {
  int64_t columnUnit = columnUnitOf(fuse, context.weights);
  SmallVector<Operation *> prologue, body;
  for (Operation &op : fuse.getBody().front().without_terminator())
    (fuse.getPartition() != llm::Partition::Tokens && body.empty() && !isProductOrAttention(op)
         ? prologue
         : body)
        .push_back(&op);
  PhaseManifest phase{.partition = llm::stringifyPartition(fuse.getPartition()).str(),
                      .prologue = static_cast<int64_t>(prologue.size())};
  const bool isHeads = fuse.getPartition() == llm::Partition::Heads;
  if (isHeads && body.size() == 1 && isa<llm::AttentionOp>(body.front())) {
    phase.attention = lowerAttentionPhase(prologue, cast<llm::AttentionOp>(body.front()));
  } else if (isHeads && !prologue.empty()) {
    unsupported(*fuse, " with anything but one attention behind its prologue");
  } else {
    if (!prologue.empty()) {
      lowerPrologue(prologue, columnUnit);
      phase.replicatedRows = mostRowsReplicated;
    }
    for (Operation *op : body)
      lowerOp(*op, fuse.getPartition(), columnUnit);
  }
  lowering = nullptr;
  for (Operation &op : fuse.getBody().front().without_terminator())
    if (!error)
      phase.kernels.push_back(describeOp(op));
  return phase;
}

/// What an op that is lowered became.
KernelManifest FunctionLowering::describeOp(Operation &op) {
  KernelManifest kernel = describeKernel(k, op, context.weights);
  kernel.names = kernelNames.lookup(&op);
  kernel.ofLogitRows = hasLogitRows(op.getResult(0));
  return kernel;
}

/// From here on the results of `ops` go to rows of this worker's own: row r to r + shift.
void FunctionLowering::privateRows(ArrayRef<Operation *> ops, Value shift) {
  for (Operation *op : ops)
    for (Value result : op->getResults())
      if (isBuffer(result.getType()) && rootOf(result) == result)
        pointers[result] = k.at(pointers.lookup(result), allRows(result, shift), stride(result));
}

/// The prologue of products. Its results have room for token_capacity rows: in a small step every
/// worker computes all rows, each in rows of its own, and nobody waits. Else the rows are shared.
void FunctionLowering::lowerPrologue(ArrayRef<Operation *> prologue, int64_t columnUnit) {
  Value isSmall = k.constInt(1, k.i1);
  auto mayReplicate = [&](Value rows) {
    return k.bitAnd(isAtMost(rows, k.index(mostRowsReplicated)),
                    isAtMost(k.mul(rows, workers), capacity));
  };
  bool hasTokens = false, hasLogits = false;
  for (Operation *op : prologue)
    (hasLogitRows(op->getResult(0)) ? hasLogits : hasTokens) = true;
  if (hasTokens)
    isSmall = k.bitAnd(isSmall, mayReplicate(tokens));
  if (hasLogits)
    isSmall = k.bitAnd(isSmall, mayReplicate(logitRows));
  Range sharedTokens = tokenRange, sharedLogits = logitRange;
  auto widened = [&](Range shared, Value rows) {
    return Range{k.select(isSmall, k.index(0), shared.from), k.select(isSmall, rows, shared.to)};
  };
  tokenRange = widened(tokenRange, tokens);
  logitRange = widened(logitRange, logitRows);
  Value rows = hasTokens && hasLogits ? k.max(tokens, logitRows) : hasLogits ? logitRows : tokens;
  privateRows(prologue, k.select(isSmall, k.mul(rows, worker), k.index(0)));
  for (Operation *op : prologue)
    lowerOp(*op, llm::Partition::Tokens, columnUnit);
  tokenRange = sharedTokens;
  logitRange = sharedLogits;
  k.ifThen(k.isNot(isSmall), [&] { barrier(); });
}

/// Attention with what prepares its queries, keys and values. When every sequence has one token,
/// an item (token, KV head) needs nothing of other items of the step: its worker does all of it;
/// and when there are few items, the workers share the splits of their contexts.
AttentionSplitting FunctionLowering::lowerAttentionPhase(ArrayRef<Operation *> prologue,
                                                         llm::AttentionOp attention) {
  Value sequences = batchCount(offsetof(llmir_batch, num_sequences));
  Value isDecode = k.bitAnd(isAtMost(tokens, sequences), isAtMost(workers, capacity));
  // Known before the ways part.
  for (Operation *op : prologue)
    if (auto norm = dyn_cast<llm::RmsNormOp>(op))
      weightPointer(norm.getWeight());
  const AttentionSpec spec = attentionSpec(attention);
  phaseKvHeads = spec.kv.getHeads();
  Value isSplit = k.constInt(0, k.i1), splits = k.index(1);
  if (attentionPartialBytes(k, spec)) {
    Value isFew = k.bitAnd(isDecode, k.lessThan(k.mul(tokens, k.index(phaseKvHeads)),
                                                k.mul(workers, k.index(fewItemsPerWorker))));
    splits = k.add(
        k.divUnsigned(lastPosition(k.select(isFew, tokens, k.index(0))), k.index(attentionSplit)),
        k.index(1));
    isSplit = k.bitAnd(k.lessThan(k.index(1), splits), isAtMost(k.mul(tokens, splits), capacity));
  }
  k.ifThen(k.bitAnd(isDecode, k.isNot(isSplit)), [&] {
    forDecodeItems(prologue, k.index(1), [&](Value item, Value) {
      Values operands = attentionInputs(attention);
      operands.append({item, k.add(item, k.index(1)), k.index(1)});
      lowering = attention;
      call(attentionKernel(k, spec), operands);
    });
  });
  if (attentionPartialBytes(k, spec))
    k.ifThen(isSplit, [&] {
      Value partials = arenaAt(context.partialsOffset);
      forDecodeItems(prologue, splits, [&](Value item, Value split) {
        Values operands = attentionInputs(attention);
        Value index = k.add(k.mul(item, splits), split);
        operands.append({partials, splits, index, k.add(index, k.index(1)), k.index(1)});
        lowering = attention;
        call(attentionSplitKernel(k, spec), operands);
      });
      barrier();
      Values operands = attentionInputs(attention);
      operands.append({partials, splits, worker, k.mul(tokens, k.index(phaseKvHeads)), workers});
      call(attentionMergeKernel(k, spec), operands);
    });
  k.ifThen(k.isNot(isDecode), [&] {
    for (Operation *op : prologue)
      lowerOp(*op, llm::Partition::Tokens, 1);
    if (!prologue.empty())
      barrier();
    lowering = attention;
    lowerAttention(attention);
  });
  return {phaseKvHeads, attentionPartialBytes(k, spec) ? attentionSplit : 0, fewItemsPerWorker};
}

/// The largest position of the first `count` tokens; 0 if there are none.
Value FunctionLowering::lastPosition(Value count) {
  Value positions = batchInts(offsetof(llmir_batch, positions));
  return k
      .forLoop(k.index(0), count, 1, k.index(0),
               [&](Value token, ValueRange before) -> Values {
                 Value position = k.load(k.at(positions, token, 4), k.i32);
                 return {k.max(before[0], k.extendUnsigned(position, k.i64))};
               })
      .front();
}

/// This worker's items (token, KV head, split): runs the prologue of its head in rows of its own,
/// then body(token * KV heads + KV head, split). The split that holds the token stores its K and V.
void FunctionLowering::forDecodeItems(ArrayRef<Operation *> prologue, Value splits,
                                      llvm::function_ref<void(Value, Value)> body) {
  const auto sharedPointers = pointers;
  const Range sharedTokens = tokenRange;
  Value heads = k.index(phaseKvHeads), items = k.mul(k.mul(tokens, heads), splits);
  k.forLoop(worker, items, workers, ValueRange{}, [&](Value number, ValueRange) -> Values {
    Value item = k.divUnsigned(number, splits), split = k.remUnsigned(number, splits);
    Value token = k.divUnsigned(item, heads), head = k.remUnsigned(item, heads);
    Value position = k.load(k.at(batchInts(offsetof(llmir_batch, positions)), token, 4), k.i32);
    Value itsSplit = k.divUnsigned(k.extendUnsigned(position, k.i64), k.index(attentionSplit));
    // One split: all of the context.
    Value isStoring = k.bitOr(k.isEqual(split, itsSplit), k.isEqual(splits, k.index(1)));
    tokenRange = {token, k.add(token, k.index(1))};
    headRange = {head, k.add(head, k.index(1))};
    privateRows(prologue, k.sub(worker, token));
    for (Operation *op : prologue)
      if (isa<llm::KvAppendOp>(op))
        k.ifThen(isStoring, [&] { lowerOp(*op, llm::Partition::Tokens, 1); });
      else
        lowerOp(*op, llm::Partition::Tokens, 1);
    body(item, split);
    return {};
  });
  pointers = sharedPointers;
  tokenRange = sharedTokens;
  headRange.reset();
}

} // namespace llmir::cpu
