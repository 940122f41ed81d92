// Pass llm-page-attention: attention among the tokens of a step becomes attention over a paged
// cache, which @forward takes and gives back: what lets a graph be served step by step.
#include "llmir/transforms/Passes.h"

#include "mlir/IR/Builders.h"

namespace llmir::llm {
#define GEN_PASS_DEF_PAGEATTENTIONPASS
#include "llmir/transforms/Passes.h.inc"

using namespace mlir;

namespace {

int64_t columns(Value value) { return cast<RankedTensorType>(value.getType()).getDimSize(1); }

struct Shape {
  int64_t heads, kDim, vDim;
  bool operator==(const Shape &) const = default;

  static Shape of(DenseAttentionOp op) {
    const auto heads = static_cast<int64_t>(op.getHeads());
    return {heads, columns(op.getK()) / heads, columns(op.getV()) / heads};
  }
};

Diagnostic &operator<<(Diagnostic &stream, const Shape &shape) {
  return stream << shape.heads << " heads of " << shape.kDim << " and " << shape.vDim << " columns";
}

struct PageAttention : impl::PageAttentionPassBase<PageAttention> {
  using Base::Base;

  void runOnOperation() override {
    GraphOp graph = getOperation();
    func::FuncOp forward = graph.getForward();
    SmallVector<DenseAttentionOp> attentions;
    graph.walk([&](DenseAttentionOp op) { attentions.push_back(op); });
    if (attentions.empty())
      return;
    if (failed(check(forward, attentions)))
      return signalPassFailure();
    const Shape shape = Shape::of(attentions.front());
    Type element = Float16Type::get(&getContext());
    if (kv == "f32")
      element = Float32Type::get(&getContext());
    auto type = KvType::getChecked([&] { return forward.emitError("llm-page-attention: "); },
                                   &getContext(), static_cast<int64_t>(attentions.size()),
                                   shape.heads, shape.kDim, shape.vDim, int64_t(block), element);
    if (!type)
      return signalPassFailure();
    page(forward, attentions, type);
  }

private:
  LogicalResult check(func::FuncOp forward, ArrayRef<DenseAttentionOp> attentions) {
    if (kv != "f16" && kv != "f32")
      return forward.emitError("llm-page-attention: kv must be f16 or f32, not '") << kv << "'";
    if (!forward.getBody().hasOneBlock())
      return forward.emitError("llm-page-attention: the body must be one block");
    if (llvm::any_of(forward.getArgumentTypes(), [](Type type) { return isa<KvType>(type); }))
      return forward.emitError("llm-page-attention: there is a cache already");
    DenseAttentionOp first = attentions.front();
    for (DenseAttentionOp op : attentions) {
      if (op->getBlock() != &forward.getBody().front())
        return op.emitError("llm-page-attention: must stand in the body of @forward itself");
      if (op.getBatch() != first.getBatch())
        return op.emitError("llm-page-attention: has another batch than the first attention");
      if (Shape::of(op) != Shape::of(first))
        return op.emitError("llm-page-attention: keys and values have ")
               << Shape::of(op) << ", in the first attention " << Shape::of(first)
               << ": one cache holds layers of one shape";
    }
    return success();
  }

  void page(func::FuncOp forward, ArrayRef<DenseAttentionOp> attentions, KvType type) {
    Block &body = forward.getBody().front();
    Value cache = body.addArgument(type, forward.getLoc());
    int64_t layer = 0;
    for (DenseAttentionOp op : attentions) {
      OpBuilder b(op);
      Value index = arith::ConstantIndexOp::create(b, op.getLoc(), layer++);
      cache = KvAppendOp::create(b, op.getLoc(), type, cache, index, op.getK(), op.getV(),
                                 op.getBatch());
      Value result = AttentionOp::create(b, op.getLoc(), op.getType(), op.getQ(), cache, index,
                                         op.getBatch(), op.getScaleAttr(), op.getWindowAttr(),
                                         DenseI64ArrayAttr(), op.getSoftcapAttr());
      op.replaceAllUsesWith(result);
      op.erase();
    }
    Operation *end = body.getTerminator();
    end->insertOperands(end->getNumOperands(), cache);
    forward.setType(
        FunctionType::get(&getContext(), body.getArgumentTypes(), end->getOperandTypes()));
  }
};
} // namespace
} // namespace llmir::llm
