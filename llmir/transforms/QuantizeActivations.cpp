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

  void runOnOperation() override {
    if (activations != "int8" && activations != "int16") {
      getOperation().emitError("llm-quantize-activations: activations must be int8 or int16, not '")
          << activations << "'";
      return signalPassFailure();
    }
    Format format = activations == "int8" ? Format::A8 : Format::A16;
    // Collected first: the walk must not see what it inserts.
    SmallVector<LinearOp> products;
    getOperation().walk([&](LinearOp op) {
      if (isQuantized(op.getWeight().getType()) && !isQuantized(op.getX().getType()))
        products.push_back(op);
    });
    DenseMap<Value, Value> quantised;
    for (LinearOp op : products) {
      Value &shared = quantised[op.getX()];
      if (!shared) {
        OpBuilder builder(op);
        builder.setInsertionPointAfterValue(op.getX());
        auto type = cast<RankedTensorType>(op.getX().getType());
        auto quantType =
            RankedTensorType::get(type.getShape(), QuantType::get(&getContext(), format));
        shared = QuantizeOp::create(builder, op.getLoc(), quantType, op.getX());
      }
      op.getXMutable().assign(shared);
    }
  }
};
} // namespace
} // namespace llmir::llm
