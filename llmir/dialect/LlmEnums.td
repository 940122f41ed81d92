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

def Scoring : LlmEnum<"Scoring", "how a router's logits become weights of experts", [
  I32EnumAttrCase<"Softmax", 0, "softmax">, // exp(x) / sum of exp(x) over all experts
  I32EnumAttrCase<"Sigmoid", 1, "sigmoid">  // 1 / (1 + exp(-x))
]>;
def ScoringAttr : EnumAttr<LlmDialect, Scoring, "scoring">;

def Partition : LlmEnum<"Partition", "how the workers of a step share a phase", [
  I32EnumAttrCase<"Tokens", 0, "tokens">,     // each worker takes a range of rows
  I32EnumAttrCase<"Features", 1, "features">, // each worker takes a range of columns of the results
  I32EnumAttrCase<"Heads", 2, "heads">        // each worker takes pairs of token and KV head
]>;
def PartitionAttr : EnumAttr<LlmDialect, Partition, "partition">;

//===----------------------------------------------------------------------===//
// How a model is served
//===----------------------------------------------------------------------===//

def BatchingMode : LlmEnum<"BatchingMode", "when requests join a batch", [
  I32EnumAttrCase<"Continuous", 0, "continuous">, // at every step
  I32EnumAttrCase<"Static", 1, "static">          // when the batch before is done
]>;
def SchedulingPolicy : LlmEnum<"SchedulingPolicy", "which waiting request goes first", [
  I32EnumAttrCase<"Fcfs", 0, "fcfs">,        // first come, first served
  I32EnumAttrCase<"Priority", 1, "priority"> // the lowest priority value, of equal ones the first
]>;
def Preemption : LlmEnum<"Preemption", "what happens to the cache of a request that must make room", [
  I32EnumAttrCase<"Recompute", 0, "recompute">, // dropped, and computed again
  I32EnumAttrCase<"Swap", 1, "swap">            // moved to other memory and back
]>;
def PrefixSharing : LlmEnum<"PrefixSharing", "how requests find the cache of a common prefix", [
  I32EnumAttrCase<"None", 0, "none">,
  I32EnumAttrCase<"Hash", 1, "hash">,  // whole blocks by the hash of their tokens and of all before, as in vLLM
  I32EnumAttrCase<"Radix", 2, "radix"> // a tree of token sequences, as in SGLang
]>;
def Eviction : LlmEnum<"Eviction", "which shared blocks that no request uses are given up first", [
  I32EnumAttrCase<"None", 0, "none">,
  I32EnumAttrCase<"Lru", 1, "lru">,  // the least recently used
  I32EnumAttrCase<"Lfu", 2, "lfu">,  // the least frequently used
  I32EnumAttrCase<"Fifo", 3, "fifo"> // the first that was cached
]>;
def SpeculationMethod : LlmEnum<"SpeculationMethod", "who proposes tokens for the model to check", [
  I32EnumAttrCase<"None", 0, "none">,
  I32EnumAttrCase<"Draft", 1, "draft">, // a smaller model
  I32EnumAttrCase<"Ngram", 2, "ngram">  // what followed the last tokens when they came before
]>;

//===----------------------------------------------------------------------===//
// Targets
//===----------------------------------------------------------------------===//

def CpuIsa : LlmEnum<"CpuIsa", "the instruction set that the kernels of a CPU are written for", [
  I32EnumAttrCase<"Portable", 0, "portable">,      // no intrinsics: any CPU that LLVM knows
  I32EnumAttrCase<"Avx2", 1, "avx2">,              // x86-64-v3: AVX2, FMA, F16C
  I32EnumAttrCase<"Avx512Vnni", 2, "avx512_vnni">, // x86-64-v4 with VNNI
  I32EnumAttrCase<"NeonDot", 3, "neon_dot">        // AArch64 with the dot product extension
]>;

#endif
