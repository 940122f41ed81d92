// Reduction patterns of the llm dialect; see Reductions.h.
#include "llmir/transforms/Reductions.h"

#include "llmir/dialect/Llm.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Reducer/ReductionPatternInterface.h"

namespace llmir::llm {

using namespace mlir;

namespace {

struct ReplaceByOperand : RewritePattern {
  ReplaceByOperand(MLIRContext *context, Tester &tester)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context), tester(tester) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (op->getNumResults() != 1)
      return rewriter.notifyMatchFailure(op, "does not have one result");
    for (OpOperand &operand : op->getOpOperands())
      if (operand.get().getType() == op->getResult(0).getType() &&
          staysInteresting(op, operand.getOperandNumber())) {
        rewriter.replaceOp(op, operand.get());
        return success();
      }
    return rewriter.notifyMatchFailure(op, "no operand can stand for the result");
  }

private:
  /// Tried on a copy: the reducer applies all patterns of a module at once, and gives up on what is
  /// no longer interesting then.
  bool staysInteresting(Operation *op, unsigned operand) const {
    IRMapping mapping;
    OwningOpRef<ModuleOp> copy = cast<ModuleOp>(op->getParentOfType<ModuleOp>()->clone(mapping));
    Operation *copied = mapping.lookup(op);
    copied->getResult(0).replaceAllUsesWith(copied->getOperand(operand));
    copied->erase();
    ScopedDiagnosticHandler silent(op->getContext(), [](Diagnostic &) { return success(); });
    return succeeded(verify(*copy)) &&
           tester.isInteresting(*copy).first == Tester::Interestingness::True;
  }

  Tester &tester;
};

struct Reductions : DialectReductionPatternInterface {
  explicit Reductions(Dialect *dialect) : DialectReductionPatternInterface(dialect) {}

  void populateReductionPatterns(RewritePatternSet &) const override {}
  void populateReductionPatternsWithTester(RewritePatternSet &patterns,
                                           Tester &tester) const override {
    patterns.add<ReplaceByOperand>(patterns.getContext(), tester);
  }
};

} // namespace

void registerReductions(DialectRegistry &registry) {
  registry.addExtension(
      +[](MLIRContext *, LlmDialect *dialect) { dialect->addInterfaces<Reductions>(); });
}

} // namespace llmir::llm
