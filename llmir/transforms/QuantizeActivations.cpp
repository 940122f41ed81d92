// Pass llm-quantize-activations: products with quantised weights read integer activations,
// quantised once per operand.
#include "llmir/transforms/Passes.h"

#include "mlir/IR/Builders.h"

namespace llmir::llm {
#define GEN_PASS_DEF_QUANTIZEACTIVATIONSPASS
#include "llmir/transforms/Passes.h.inc"

using namespace mlir;

namespace {
struct QuantizeActivations : impl::QuantizeActivationsPassBase<QuantizeActivations> {
  using Base::Base;

  bool canScheduleOn(RegisteredOperationName name) const override { return isModelOrGraph(name); }

  void runOnOperation() override {
    if (activations != "int8" && activations != "int16") {
      getOperation()->emitError(
          "llm-quantize-activations: activations must be int8 or int16, not '")
          << activations << "'";
      return signalPassFailure();
    }
    Format format = activations == "int8" ? Format::A8 : Format::A16;
    // Collected first: the walk must not see what it inserts.
    SmallVector<OpOperand *> inputs;
    auto collect = [&](auto product) {
      if (isQuantized(product.getWeight().getType()) && !isQuantized(product.getX().getType()))
        inputs.push_back(&product.getXMutable());
    };
    getOperation()->walk([&](LinearOp op) { collect(op); });
    getOperation()->walk([&](ExpertsLinearOp op) { collect(op); });
    DenseMap<Value, Value> quantised;
    for (OpOperand *input : inputs) {
      Value &shared = quantised[input->get()];
      if (!shared) {
        OpBuilder builder(&getContext());
        builder.setInsertionPointAfterValue(input->get());
        auto type = cast<RankedTensorType>(input->get().getType());
        auto quantType =
            RankedTensorType::get(type.getShape(), QuantType::get(&getContext(), format));
        shared = QuantizeOp::create(builder, input->getOwner()->getLoc(), quantType, input->get());
      }
      input->set(shared);
    }
  }
};
} // namespace
} // namespace llmir::llm
