// Closed choices of the llm dialect.
#ifndef LLMIR_DIALECT_LLM_ENUMS_TD
#define LLMIR_DIALECT_LLM_ENUMS_TD

include "LlmDialect.td"
include "mlir/IR/EnumAttr.td"

class LlmEnum<string name, string summary, list<I32EnumAttrCase> cases> : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::llmir::llm";
  let genSpecializedAttr = 0;
}

def BatchKind : LlmEnum<"BatchKind", "what the tokens of a step are", [
  I32EnumAttrCase<"Decode", 0, "decode">,   // one token of every sequence
  I32EnumAttrCase<"Prefill", 1, "prefill">, // several tokens of every sequence
  I32EnumAttrCase<"Mixed", 2, "mixed">      // any number of tokens of each
]>;

def RopeStyle : LlmEnum<"RopeStyle", "which components of a head are rotated together", [
  I32EnumAttrCase<"Interleaved", 0, "interleaved">, // (2i, 2i + 1), as GGUF stores the Llama family
  I32EnumAttrCase<"Half", 1, "half">                // (i, i + d / 2), as Hugging Face stores it
]>;
def RopeStyleAttr : EnumAttr<LlmDialect, RopeStyle, "rope_style">;

def Activation : LlmEnum<"Activation", "an element-wise non-linearity", [
  I32EnumAttrCase<"Silu", 0, "silu">,         // x / (1 + exp(-x))
  I32EnumAttrCase<"Gelu", 1, "gelu">,         // x / 2 * (1 + erf(x / sqrt(2)))
  I32EnumAttrCase<"GeluTanh", 2, "gelu_tanh">,// x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))
  I32EnumAttrCase<"Relu", 3, "relu">          // max(x, 0)
]>;
def ActivationAttr : EnumAttr<LlmDialect, Activation, "activation">;

def Partition : LlmEnum<"Partition", "how the workers of a step share a phase", [
  I32EnumAttrCase<"Tokens", 0, "tokens">,     // each worker takes a range of rows
  I32EnumAttrCase<"Features", 1, "features">, // each worker takes a range of columns of the results
  I32EnumAttrCase<"Heads", 2, "heads">        // each worker takes pairs of token and KV head
]>;
def PartitionAttr : EnumAttr<LlmDialect, Partition, "partition">;

#endif
