// The passes of llm → llm: one pass a file, one lit file each, named alike.
#ifndef LLMIR_TRANSFORMS_PASSES_TD
#define LLMIR_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def ExpandExpertsPass : Pass<"llm-expand-experts", "::llmir::llm::ModelOp"> {
  let summary = "Split mixtures of experts into ops that fit into phases";
  let description = [{
    Before: `%y = llm.moe silu %x, %gate, %up, %down by softmax %router top 2`.
    After: `llm.experts.route` and `llm.experts.group` choose each token's experts and sort the rows by expert,
    `llm.experts.linear` multiplies each row with its expert's gate and up, `llm.glu` and a third product follow, and
    `llm.experts.combine` adds up each token's experts.
  }];
  let dependentDialects = ["::llmir::llm::LlmDialect"];
}

def QuantizeActivationsPass : Pass<"llm-quantize-activations", "::llmir::llm::ModelOp"> {
  let summary = "Quantise what goes into products with quantised weights";
  let description = [{
    Before: `%y = llm.linear %x, %w` with a quantised weight and f32 activations.
    After: `%q = llm.quantize %x`, `%y = llm.linear %q, %w`. Products that share an operand share its quantised form.
    `llm.experts.linear` likewise; `llm.moe` is expanded before.
  }];
  let options = [Option<"activations", "activations", "std::string", "\"int8\"",
      "precision of the quantised activations: int8 or int16">];
  let dependentDialects = ["::llmir::llm::LlmDialect"];
}

def FormPhasesPass : Pass<"llm-form-phases", "::llmir::llm::ModelOp"> {
  let summary = "Group ops into phases between barriers";
  let description = [{
    Wraps runs of ops that need no barrier between them into `llm.fuse` regions: row-wise ops on ranges of tokens,
    products and element-wise ops behind them on ranges of columns, attention on heads.

    A phase on tokens becomes the prologue of the phase behind it if nothing else uses its results, but for the cache. In
    front of products it must not append to the cache, route or group experts: that is done once for all workers. In front
    of attention, which must be alone in its phase, it may only normalise and rotate by head and append to the cache that
    the attention reads.
  }];
  let dependentDialects = ["::llmir::llm::LlmDialect"];
}

#endif
