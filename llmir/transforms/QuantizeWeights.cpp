// Pass llm-quantize-weights: matrices of floats that products and embeddings read get a quantised
// type. Types alone change here; the numbers are rounded when the weights are packed.
#include "llmir/transforms/Passes.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

namespace llmir::llm {
#define GEN_PASS_DEF_QUANTIZEWEIGHTSPASS
#include "llmir/transforms/Passes.h.inc"

using namespace mlir;

namespace {

/// The products and embeddings whose results make up `value`, with nothing but element-wise ops
/// between.
SmallVector<Operation *> sourcesOf(Value value) {
  SmallVector<Operation *> sources;
  llvm::SmallSetVector<Value, 4> seen;
  seen.insert(value);
  for (size_t i = 0; i < seen.size(); ++i) {
    Operation *op = seen[i].getDefiningOp();
    if (isa_and_nonnull<LinearOp, EmbedOp>(op))
      sources.push_back(op);
    else if (isa_and_nonnull<ScaleOp, SoftcapOp, arith::AddFOp, arith::SubFOp, arith::MulFOp>(op))
      seen.insert(op->operand_begin(), op->operand_end());
  }
  return sources;
}

/// What the ops that read a weight allow; of several readers the strictest decides.
enum class Readers { Products, Sensitive, Others };

struct QuantizeWeights : impl::QuantizeWeightsPassBase<QuantizeWeights> {
  using Base::Base;

  bool canScheduleOn(RegisteredOperationName name) const override { return isModelOrGraph(name); }

  void runOnOperation() override {
    if (weights != "int8" && weights != "int4") {
      getOperation()->emitError("llm-quantize-weights: weights must be int8 or int4, not '")
          << weights << "'";
      return signalPassFailure();
    }
    findSpecialReaders();
    llvm::MapVector<StringAttr, SmallVector<GetWeightOp>> values;
    getOperation()->walk(
        [&](GetWeightOp op) { values[op.getWeightAttr().getAttr()].push_back(op); });
    bool found = false;
    for (auto weight : getOperation()->getRegion(0).getOps<WeightOp>()) {
      auto uses = values.find(weight.getSymNameAttr());
      if (uses != values.end())
        found |= quantize(weight, uses->second);
    }
    if (!found)
      getOperation()->emitWarning("no matrix of floats was found to quantise to ")
          << weights << ": the weights stay as they are";
  }

private:
  llvm::SmallPtrSet<Operation *, 8> routers, heads;

  void findSpecialReaders() {
    getOperation()->walk(
        [&](ExpertsRouteOp op) { routers.insert_range(sourcesOf(op.getRouter())); });
    getOperation()->walk([&](MoeOp op) { routers.insert_range(sourcesOf(op.getRouter())); });
    if (auto model = dyn_cast<ModelOp>(getOperation())) // a part of a model gives no logits
      model.getStep().walk(
          [&](func::ReturnOp op) { heads.insert_range(sourcesOf(op.getOperand(0))); });
  }

  Readers readersOf(ArrayRef<GetWeightOp> values) const {
    auto result = Readers::Products;
    for (GetWeightOp value : values)
      for (Operation *user : value->getUsers()) {
        Readers reader = Readers::Products;
        if (routers.contains(user) || !isa<LinearOp, EmbedOp, ExpertsLinearOp, MoeOp>(user))
          reader = Readers::Others;
        else if (isa<EmbedOp>(user) || heads.contains(user))
          reader = Readers::Sensitive;
        result = std::max(result, reader);
      }
    return result;
  }

  /// Whether it was a matrix for this pass, which it may have had to leave as it is.
  bool quantize(WeightOp weight, ArrayRef<GetWeightOp> values) {
    RankedTensorType type = weight.getTensorType();
    if (type.getRank() < 2 || isQuantized(type))
      return false;
    Readers readers = readersOf(values);
    if (readers == Readers::Others)
      return false;
    Format format = weights == "int4" && readers == Readers::Products ? Format::Q4_0 : Format::Q8_0;
    if (type.getShape().back() % formatInfo(format).blockElements) {
      weight.emitWarning("the weight ")
          << weight.getFrom() << " stays "
          << StringRef(formatInfo(*formatOf(type.getElementType())).name) << ": its "
          << type.getShape().back() << " columns are no multiple of "
          << formatInfo(format).blockElements;
      return true;
    }
    auto quantised = RankedTensorType::get(type.getShape(), elementTypeOf(format, &getContext()));
    weight.setType(quantised);
    for (GetWeightOp value : values)
      value.getResult().setType(quantised);
    return true;
  }
};
} // namespace
} // namespace llmir::llm
