// Pass llm-expand-experts: a mixture of experts as ops that each fit into one phase. Nothing is
// computed for experts that a token is not given to, and each expert's weights are read once for
// all its tokens.
#include "llmir/transforms/Passes.h"

#include "mlir/IR/Builders.h"

namespace llmir::llm {
#define GEN_PASS_DEF_EXPANDEXPERTSPASS
#include "llmir/transforms/Passes.h.inc"

using namespace mlir;

namespace {
void expand(MoeOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  const auto ranks = static_cast<int64_t>(op.getTopK());
  const int64_t experts = op.getGate().getType().getDimSize(0),
                inner = op.getGate().getType().getDimSize(1),
                hidden = op.getX().getType().getDimSize(1), any = ShapedType::kDynamic;
  auto numbers = RankedTensorType::get({any, ranks}, b.getI32Type()),
       weights = RankedTensorType::get({any, ranks}, b.getF32Type()),
       innerRows = RankedTensorType::get({any, ranks, inner}, b.getF32Type()),
       hiddenRows = RankedTensorType::get({any, ranks, hidden}, b.getF32Type());
  auto routing = ExpertsRouteOp::create(b, loc, TypeRange{numbers, weights}, op.getScoring(),
                                        op.getRouter(), op.getRenormalise(), op.getScale());
  Value order = ExpertsGroupOp::create(b, loc, routing.getExperts(), experts);
  auto multiply = [&](Type type, Value x, Value weight) -> Value {
    return ExpertsLinearOp::create(b, loc, type, x, weight, routing.getExperts(), order);
  };
  Value gate = multiply(innerRows, op.getX(), op.getGate());
  Value up = multiply(innerRows, op.getX(), op.getUp());
  Value product = GluOp::create(b, loc, innerRows, op.getActivation(), gate, up);
  Value down = multiply(hiddenRows, product, op.getDown());
  Value result =
      ExpertsCombineOp::create(b, loc, op.getResult().getType(), down, routing.getWeights());
  op.replaceAllUsesWith(result);
  op.erase();
}

struct ExpandExperts : impl::ExpandExpertsPassBase<ExpandExperts> {
  bool canScheduleOn(RegisteredOperationName name) const override { return isModelOrGraph(name); }

  void runOnOperation() override {
    // Collected first: the walk must not see what it replaces.
    SmallVector<MoeOp> mixtures;
    getOperation()->walk([&](MoeOp op) { mixtures.push_back(op); });
    llvm::for_each(mixtures, expand);
  }
};
} // namespace
} // namespace llmir::llm
