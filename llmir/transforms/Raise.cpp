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
    if (failed(raise::Raiser(getOperation()).run()))
      signalPassFailure();
  }
};
} // namespace
} // namespace llmir::llm
