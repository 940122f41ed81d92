// The passes of llm → llm: one pass a file, one lit file each, named alike.
#ifndef LLMIR_TRANSFORMS_PASSES_TD
#define LLMIR_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def QuantizeActivationsPass : Pass<"llm-quantize-activations", "::llmir::llm::ModelOp"> {
  let summary = "Quantise what goes into products with quantised weights";
  let description = [{
    Before: `%y = llm.linear %x, %w` with a quantised weight and f32 activations.
    After: `%q = llm.quantize %x`, `%y = llm.linear %q, %w`. Products that share an operand share its quantised form.
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
  }];
  let dependentDialects = ["::llmir::llm::LlmDialect"];
}

#endif
