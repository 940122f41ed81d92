// Pass llm-raise: a raw graph of linalg, tensor, arith and math ops as a function of a batch in llm
// ops, by meaning.
#include "llmir/transforms/Passes.h"
#include "llmir/transforms/raise/Raiser.h"

namespace llmir::llm {
#define GEN_PASS_DEF_RAISEPASS
#include "llmir/transforms/Passes.h.inc"

namespace {
struct Raise : impl::RaisePassBase<Raise> {
  void runOnOperation() override {
    auto types = getOperation().getForward().getArgumentTypes();
    if (!types.empty() && llvm::isa<BatchType>(types.front()))
      return; // a function of a batch already
    if (failed(raise::Raiser(getOperation()).run()))
      signalPassFailure();
  }
};
} // namespace
} // namespace llmir::llm
