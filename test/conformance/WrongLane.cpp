// Adds to one lane of a vector of f32 or i32, right behind the op that computes it.
#include "WrongLane.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

#include <fmt/format.h>

using namespace mlir;
namespace llmir::conformance {

namespace {

std::string last;

bool isComputedVector(Operation *op) {
  if (op->getNumResults() != 1 || op->hasTrait<OpTrait::ConstantLike>() || op->getNumRegions() != 0)
    return false;
  auto type = dyn_cast<VectorType>(op->getResult(0).getType());
  return type && type.getRank() == 1 &&
         (type.getElementType().isF32() || type.getElementType().isInteger(32));
}

struct WrongLane : PassWrapper<WrongLane, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(WrongLane)

  WrongLane() = default;
  WrongLane(const WrongLane &other) : PassWrapper(other) {}

  Option<int64_t> number{*this, "number", llvm::cl::desc("which vector and lane")};

  StringRef getArgument() const override { return "wrong-lane"; }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, vector::VectorDialect>();
  }

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isComputedVector(op))
        ops.push_back(op);
    });
    if (ops.empty())
      return signalPassFailure();
    // Neighbouring numbers fall on places far apart.
    Operation *op = ops[number * 7919 % static_cast<int64_t>(ops.size())];
    Value vector = op->getResult(0);
    auto type = cast<VectorType>(vector.getType());
    const int64_t lane = number % type.getDimSize(0);
    OpBuilder b(op->getContext());
    b.setInsertionPointAfter(op);
    Value right = vector::ExtractOp::create(b, op->getLoc(), vector, lane), wrong;
    if (type.getElementType().isF32())
      wrong = arith::AddFOp::create(
          b, op->getLoc(), right,
          arith::ConstantOp::create(b, op->getLoc(), b.getF32FloatAttr(0.5f)));
    else
      wrong =
          arith::AddIOp::create(b, op->getLoc(), right,
                                arith::ConstantOp::create(b, op->getLoc(), b.getI32IntegerAttr(1)));
    Value changed = vector::InsertOp::create(b, op->getLoc(), wrong, vector, lane);
    vector.replaceUsesWithIf(changed, [&](OpOperand &use) {
      return use.getOwner() != right.getDefiningOp() && use.getOwner() != changed.getDefiningOp();
    });
    last = fmt::format("lane {} of {} in @{}", lane, op->getName().getStringRef().str(),
                       op->getParentOfType<func::FuncOp>().getName().str());
  }
};

} // namespace

void registerWrongLane() { PassRegistration<WrongLane>(); }

std::string wrongLane(int64_t number) {
  return fmt::format("lower:wrong-lane{{number={}}}", number);
}

std::string lastWrongLane() { return last; }

} // namespace llmir::conformance
