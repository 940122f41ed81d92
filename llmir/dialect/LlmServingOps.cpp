// Verifiers of llm.sample and llm.workflow.
#include "llmir/dialect/Llm.h"

using namespace mlir;
using namespace llmir;
using namespace llmir::llm;

LogicalResult SampleOp::verify() {
  if (getPoints().getType().getDimSize(1) != 1)
    return emitOpError("C1: points has ")
           << getPoints().getType().getDimSize(1) << " columns, one point is drawn for a row";
  auto isWithin = [](const APFloat &value, double most) {
    double number = value.convertToDouble();
    return number >= 0 && number <= most; // no NaN
  };
  if (!isWithin(getTemperature(), 100))
    return emitOpError("C2: temperature must be from 0 to 100");
  if (static_cast<int64_t>(getTopK()) < 0)
    return emitOpError("C3: top_k must not be negative");
  if (!isWithin(getTopP(), 1) || !isWithin(getMinP(), 1))
    return emitOpError("C4: top_p and min_p must be from 0 to 1");
  return success();
}

LogicalResult WorkflowOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto model = symbols.lookupNearestSymbolFrom<ModelOp>(*this, getServesAttr());
  if (!model)
    return emitOpError("C1: ") << getServesAttr() << " is no llm.model";
  func::FuncOp step = model.getStep();
  if (!step || step.getNumArguments() != 2 || !isa<KvType>(step.getArgumentTypes()[1]))
    return success(); // the model's own verifier reports it
  KvType kv = model.getKvType();
  if (getCache().getBlock() != kv.getBlock())
    return emitOpError("C2: the cache has blocks of ")
           << getCache().getBlock() << " tokens, that of " << getServesAttr() << " has "
           << kv.getBlock();
  int64_t budget = getBatching().getTokenBudget(), context = model.getContextLength();
  if (!getBatching().getChunkedPrefill() && budget < context)
    return emitOpError("C3: token_budget is ")
           << budget << ", without chunked_prefill the context of " << context
           << " tokens must fit";
  if (FlatSymbolRefAttr name = getSpeculation().getDraft()) {
    auto draft = symbols.lookupNearestSymbolFrom<ModelOp>(*this, name);
    if (!draft || draft == model)
      return emitOpError("C4: draft ") << name << " is no other llm.model";
    if (draft.getVocabulary() != model.getVocabulary())
      return emitOpError("C4: draft ")
             << name << " has a vocabulary of " << draft.getVocabulary() << ", " << getServesAttr()
             << " one of " << model.getVocabulary();
  }
  if (kv.getHeads() % getParallel().getTensor() || kv.getLayers() % getParallel().getPipeline())
    return emitOpError("C5: tensor = ")
           << getParallel().getTensor() << " must divide the " << kv.getHeads()
           << " KV heads and pipeline = " << getParallel().getPipeline() << " the "
           << kv.getLayers() << " layers of " << getServesAttr();
  return success();
}
