// Pass llm-form-model: a graph from tokens to logits becomes an llm.model, and computes logits of
// the wanted rows alone: llm.logit_rows stands in front of all that is behind the last layer, where
// importers put it. What is behind is the head of the model, computed row by row.
#include "llmir/transforms/FindLayers.h"
#include "llmir/transforms/Passes.h"

#include "mlir/IR/Builders.h"

namespace llmir::llm {
#define GEN_PASS_DEF_FORMMODELPASS
#include "llmir/transforms/Passes.h.inc"

using namespace mlir;

namespace {

/// Why @forward is no step of a model; null if it is one.
const char *whyNoStep(func::FuncOp forward) {
  FunctionType type = forward.getFunctionType();
  if (!forward.getBody().hasOneBlock() || type.getNumInputs() != 2 ||
      !isa<BatchType>(type.getInput(0)) || !isa<KvType>(type.getInput(1)))
    return "@forward does not take a batch and a cache alone";
  if (type.getNumResults() != 2 || !isActivations(type.getResult(0)) ||
      type.getResult(1) != type.getInput(1))
    return "@forward does not give logits and the cache alone";
  bool embeds = false;
  forward.walk([&](EmbedOp) { embeds = true; });
  return embeds ? nullptr : "nothing looks up the tokens' embeddings";
}

/// Whether all ops behind `value` give rows that follow from the same rows of `value` and weights.
bool isHead(Value value) {
  Operation *source = value.getDefiningOp();
  if (!source)
    return false;
  for (Operation *op = source->getNextNode(); op && !op->hasTrait<OpTrait::IsTerminator>();
       op = op->getNextNode()) {
    if (isa<arith::ConstantOp, GetWeightOp>(op))
      continue;
    if (op->getNumRegions() || isa<CallOpInterface, BatchTokensOp, BatchPositionsOp>(op))
      return false;
    for (Value operand : op->getOperands())
      if (isa<KvType, BatchType>(operand.getType()) || operand.getDefiningOp<BatchTokensOp>() ||
          operand.getDefiningOp<BatchPositionsOp>())
        return false;
  }
  return true;
}

/// Where the head of the model reads its input: the output of the last layer, or, where no layers
/// are found, what comes before the chain of ops with one operand that gives the logits.
SmallVector<OpOperand *> inputOfHead(func::FuncOp forward) {
  auto layers = findLayers(forward, /*remarks=*/false);
  if (!layers.empty() && isHead(layers.back().output))
    return llvm::map_to_vector(layers.back().output.getUses(), [](OpOperand &use) { return &use; });
  OpOperand *use = &forward.getBody().front().getTerminator()->getOpOperand(0);
  while (Operation *op = use->get().getDefiningOp()) {
    if (!isa<LinearOp, RmsNormOp, LayerNormOp, ScaleOp, SoftcapOp, ActivateOp>(op) ||
        !op->hasOneUse() || !isActivations(op->getOperand(0).getType()))
      break;
    use = &op->getOpOperand(0);
  }
  return {use};
}

void takeLogitRows(func::FuncOp forward) {
  SmallVector<OpOperand *> uses = inputOfHead(forward);
  Value value = uses.front()->get();
  OpBuilder b(value.getContext());
  b.setInsertionPointAfterValue(value);
  Value rows =
      LogitRowsOp::create(b, value.getLoc(), value.getType(), value, forward.getArgument(0));
  for (OpOperand *use : uses)
    use->set(rows);
}

struct FormModel : impl::FormModelPassBase<FormModel> {
  using Base::Base;

  void runOnOperation() override {
    for (GraphOp graph : llvm::make_early_inc_range(getOperation().getOps<GraphOp>())) {
      if (const char *why = whyNoStep(graph.getForward()))
        graph.emitRemark("stays an llm.graph: ") << why;
      else if (failed(form(graph)))
        return signalPassFailure();
    }
  }

private:
  LogicalResult form(GraphOp graph) {
    func::FuncOp forward = graph.getForward();
    int64_t context = contextLength;
    if (Attribute stated = graph->getAttr("context_length")) {
      auto number = dyn_cast<IntegerAttr>(stated);
      context = number && number.getValue().isSignedIntN(63) ? number.getInt() : 0;
    }
    if (context < 1)
      return graph.emitError("llm-form-model: context_length must be a positive number");
    if (graph.lookupSymbol("step"))
      return graph.emitError("llm-form-model: there is a symbol @step already");
    takeLogitRows(forward);
    const auto vocabulary = cast<RankedTensorType>(forward.getResultTypes()[0]).getDimSize(1);
    OpBuilder b(graph);
    auto model = ModelOp::create(b, graph.getLoc(), name, vocabulary, context,
                                 graph.getSourceAttr(), TargetAttr());
    model.getBody().takeBody(graph.getBody());
    forward.setSymName("step");
    graph.erase();
    return success();
  }
};
} // namespace
} // namespace llmir::llm
