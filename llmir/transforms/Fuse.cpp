// Pass llm-fuse: groups the ops of every function into llm.fuse regions, one phase between
// two barriers each. Which ops may share a phase follows from what part of its operands a worker
// needs for its part of the result:
// - row-wise ops (norms, rope, quantise, append, …) need whole rows of their own tokens: partition
//   by tokens
// - products need all columns of x and give a range of columns of all tokens: by features
// - element-wise ops need the very elements they give: by either of the two
// - attention needs the cache of other tokens: by heads
// A phase by tokens that serves nothing but the product or attention phase behind it becomes the
// prologue of that phase: in a small step each worker computes what it needs of it for itself, and
// no barrier stands between them.
#include "llmir/transforms/Passes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

namespace llmir::llm {
#define GEN_PASS_DEF_FUSEPASS
#include "llmir/transforms/Passes.h.inc"

using namespace mlir;

namespace {

enum class Kind {
  Free,  // no code of its own, or a pointer: weights, constants, fields of the batch
  Alone, // calls, terminators, existing phases: a barrier on both sides
  Row,
  Product,
  Elementwise,
  Attention,
};

Kind kindOf(Operation &op) {
  if (isa<GetWeightOp, arith::ConstantOp, BatchTokensOp, BatchPositionsOp>(op))
    return Kind::Free;
  if (isa<LinearOp, ExpertsLinearOp>(op))
    return Kind::Product;
  if (isa<GluOp, ActivateOp, ScaleOp, SoftcapOp, ExpertsCombineOp, arith::AddFOp, arith::MulFOp>(
          op))
    return Kind::Elementwise;
  if (isa<AttentionOp>(op))
    return Kind::Attention;
  if (isa<EmbedOp, RmsNormOp, LayerNormOp, QuantizeOp, RopeOp, KvAppendOp, LogitRowsOp,
          ExpertsRouteOp, ExpertsGroupOp>(op))
    return Kind::Row;
  return Kind::Alone;
}

/// A phase under construction; no partition: an op that stands alone.
struct Phase {
  std::optional<Partition> partition;
  SmallVector<Operation *> ops;
  llvm::SmallPtrSet<Operation *, 8> members;

  bool defines(Value value) const {
    return value.getDefiningOp() && members.contains(value.getDefiningOp());
  }

  /// Whether `op`, whose operands are all computed, may run in this phase without a barrier.
  bool accepts(Operation &op) const {
    auto fromHere = [&](Value value) { return defines(value); };
    bool usesPhase = llvm::any_of(op.getOperands(), fromHere);
    switch (kindOf(op)) {
    case Kind::Row:
      // Another set of rows (logit_rows) and another order of them (group) read rows that other
      // workers compute.
      if (isa<LogitRowsOp, ExpertsGroupOp>(op) && usesPhase)
        return false;
      return partition == Partition::Tokens;
    case Kind::Product:
      return partition == Partition::Features && !usesPhase;
    case Kind::Elementwise:
      // All elements of the phase that it needs have the same columns as its result, so they are
      // this worker's own.
      if (auto combine = dyn_cast<ExpertsCombineOp>(op);
          combine && partition == Partition::Features)
        return fromHere(combine.getX()) && !fromHere(combine.getWeights()); // all columns of those
      return partition != Partition::Heads && (partition == Partition::Tokens || usesPhase);
    case Kind::Attention:
      return partition == Partition::Heads && !usesPhase;
    default:
      return false;
    }
  }
  void add(Operation &op) {
    ops.push_back(&op);
    members.insert(&op);
  }

  /// Whether nothing outside of this phase and `next` uses what this phase computes. Values of the
  /// cache have no memory of their own.
  bool servesOnly(const Phase &next) const {
    return llvm::all_of(ops, [&](Operation *op) {
      return llvm::all_of(op->getResults(), [&](Value result) {
        return isa<KvType>(result.getType()) ||
               llvm::all_of(result.getUsers(), [&](Operation *user) {
                 return members.contains(user) || next.members.contains(user);
               });
      });
    });
  }

  /// Whether this phase can be the prologue of `next`: of attention, if all its ops treat a head of
  /// a token by itself.
  bool isPrologueOf(const Phase &next) const {
    if (partition != Partition::Tokens || !next.partition || !servesOnly(next))
      return false;
    if (next.partition == Partition::Features)
      return llvm::none_of(ops, [](Operation *op) {
        return isa<KvAppendOp, ExpertsRouteOp, ExpertsGroupOp>(op); // once for all workers
      });
    if (next.partition != Partition::Heads || next.ops.size() != 1)
      return false;
    auto attention = cast<AttentionOp>(next.ops.front());
    KvType kv = attention.getKv().getType();
    auto isOfHeads = [&](Operation *op) {
      if (auto rope = dyn_cast<RopeOp>(op))
        return static_cast<int64_t>(rope.getHeadDim()) == kv.getKDim();
      if (auto norm = dyn_cast<RmsNormOp>(op))
        return norm.getWeight().getType().getDimSize(0) == kv.getKDim();
      auto append = dyn_cast<KvAppendOp>(op);
      return append && append.getResult() == attention.getKv() &&
             append.getLayer() == attention.getLayer();
    };
    return llvm::all_of(ops, isOfHeads);
  }
};

struct Fuse : impl::FusePassBase<Fuse> {
  bool canScheduleOn(RegisteredOperationName name) const override { return isModelOrGraph(name); }

  void runOnOperation() override {
    for (auto function : getOperation()->getRegion(0).getOps<func::FuncOp>())
      if (!function.isExternal())
        for (Block &block : function.getBody())
          fuse(block);
  }

  /// List scheduling: takes every op that the open phase accepts, in program order, before a new
  /// phase is opened.
  void fuse(Block &block) {
    // Weights and fields of the batch are no work: they stand at the top, so that every phase finds
    // them.
    SmallVector<Operation *> waiting;
    llvm::SmallPtrSet<Operation *, 16> done;
    for (Operation &op : llvm::make_early_inc_range(block)) {
      if (kindOf(op) != Kind::Free) {
        waiting.push_back(&op);
        continue;
      }
      if (!waiting.empty())
        op.moveBefore(waiting.front());
      done.insert(&op);
    }
    auto isReady = [&](Operation *op) {
      return llvm::all_of(op->getOperands(), [&](Value value) {
        Operation *definition = value.getDefiningOp();
        return !definition || definition->getBlock() != &block || done.contains(definition);
      });
    };
    // A cache value is read before it is consumed: its consumer waits for its readers.
    auto readersAreDone = [&](Operation *op) {
      return llvm::all_of(op->getOperands(), [&](Value value) {
        return !isa<KvType>(value.getType()) || isa<AttentionOp>(op) ||
               llvm::all_of(value.getUsers(), [&](Operation *user) {
                 return user == op || !isa<AttentionOp>(user) || done.contains(user);
               });
      });
    };
    SmallVector<Phase> phases;
    while (!waiting.empty()) {
      Phase phase;
      for (size_t i = 0; i < waiting.size();) {
        Operation *op = waiting[i];
        bool ready = isReady(op) && readersAreDone(op);
        bool isFirst = phase.ops.empty();
        if (ready && isFirst && kindOf(*op) != Kind::Alone)
          phase.partition = partitionFor(kindOf(*op));
        if (ready && ((isFirst && !phase.partition) || phase.accepts(*op))) {
          phase.add(*op);
          done.insert(op);
          waiting.erase(waiting.begin() + i);
          if (!phase.partition)
            break;
          i = 0; // what waited for it may be ready now
          continue;
        }
        // An Alone op (a call) is never overtaken by what stands behind it, or its cache order
        // would be lost.
        if (kindOf(*op) == Kind::Alone)
          break;
        ++i;
      }
      phases.push_back(std::move(phase));
    }
    for (size_t i = 0; i < phases.size(); ++i) {
      if (i + 1 < phases.size() && phases[i].isPrologueOf(phases[i + 1])) {
        for (Operation *op : phases[i + 1].ops)
          phases[i].add(*op);
        phases[i].partition = phases[i + 1].partition;
        phases.erase(phases.begin() + i + 1);
      }
      if (phases[i].partition)
        emit(phases[i], block);
      else
        phases[i].ops.front()->moveBefore(&block, block.end());
    }
  }

  static Partition partitionFor(Kind kind) {
    return kind == Kind::Product     ? Partition::Features
           : kind == Kind::Attention ? Partition::Heads
                                     : Partition::Tokens;
  }

  /// Moves the ops of a phase into an llm.fuse at the end of the block.
  void emit(const Phase &phase, Block &block) {
    llvm::SetVector<Value> inputs, outputs;
    for (Operation *op : phase.ops) {
      for (Value operand : op->getOperands())
        if (!phase.defines(operand))
          inputs.insert(operand);
      for (Value result : op->getResults())
        if (llvm::any_of(result.getUsers(),
                         [&](Operation *user) { return !phase.members.contains(user); }))
          outputs.insert(result);
    }
    SmallVector<Type> resultTypes(llvm::map_range(outputs, [](Value v) { return v.getType(); }));
    OpBuilder builder(&getContext());
    builder.setInsertionPointToEnd(&block);
    Location loc = phase.ops.front()->getLoc();
    auto fuse = FuseOp::create(builder, loc, resultTypes, *phase.partition, inputs.getArrayRef());
    Block &body = fuse.getBody().emplaceBlock();
    IRMapping mapping;
    for (Value input : inputs)
      mapping.map(input, body.addArgument(input.getType(), loc));
    builder.setInsertionPointToEnd(&body);
    for (Operation *op : phase.ops)
      builder.clone(*op, mapping);
    SmallVector<Value> yielded(
        llvm::map_range(outputs, [&](Value v) { return mapping.lookup(v); }));
    YieldOp::create(builder, loc, yielded);
    for (auto [output, result] :
         llvm::zip(SmallVector<Value>(outputs.getArrayRef()), fuse.getResults()))
      output.replaceAllUsesWith(result);
    for (Operation *op : llvm::reverse(phase.ops))
      op->erase();
  }
};
} // namespace
} // namespace llmir::llm
