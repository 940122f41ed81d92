// The llm dialect itself: name, description and what it needs.
#ifndef LLMIR_DIALECT_LLM_DIALECT_TD
#define LLMIR_DIALECT_LLM_DIALECT_TD

include "mlir/IR/OpBase.td"

def LlmDialect : Dialect {
  let name = "llm";
  let cppNamespace = "::llmir::llm";
  let summary = "Inference of large language models: ragged batches, paged KV caches, quantised weights";
  let description = [{
    A step is the unit of work: the tokens of all sequences it serves, one after the other, prefill and decode mixed.
    Activations are `tensor<?xDxf32>`, their first dimension the tokens of the step; there is no padded batch dimension.
    A model is one `llm.model`: its weights as symbols, one function per distinct layer and one function `@step`.

    Every op's constraints carry a label (C1, C2, …), the same here, in the verifier's message and in the test's name.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::tensor::TensorDialect"];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
}

#endif
