// Types and attributes of the llm dialect.
#ifndef LLMIR_DIALECT_LLM_TYPES_TD
#define LLMIR_DIALECT_LLM_TYPES_TD

include "LlmEnums.td"
include "mlir/IR/AttrTypeBase.td"

class LlmType<string name, string typeMnemonic, list<Trait> traits = []> : TypeDef<LlmDialect, name, traits> {
  let mnemonic = typeMnemonic;
}

def QuantType : LlmType<"Quant", "quant"> {
  let summary = "element type of a tensor that is stored in a block format";
  let description = [{
    `tensor<576x1536x!llm.quant<q4_1>>`: 576 rows of 1536 elements, each row a whole number of the format's blocks.
    The formats are rows of the table in `quant/Format.h`: GGUF's types and the activation formats `a8` and `a16`.
    f32, f16 and bf16 are no quantised formats: they are builtin element types.
  }];
  let parameters = (ins "::llmir::Format":$format);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def BatchType : LlmType<"Batch", "batch"> {
  let summary = "who owns the tokens of this step";
  let description = [{
    The batch descriptor of `abi/llmir_abi.h`: positions, sequence lengths, block tables, slot mapping, rows whose
    logits are wanted. `mixed` is any batch; `decode` promises one token of each sequence, `prefill` more than one.
  }];
  let parameters = (ins "::llmir::llm::BatchKind":$kind);
  let hasCustomAssemblyFormat = 1;
}

def KvType : LlmType<"Kv", "kv"> {
  let summary = "a paged KV cache";
  let description = [{
    `!llm.kv<layers = 30, heads = 3, k_dim = 64, v_dim = 64, block = 16, element = f16>`: per layer a set of blocks of
    `block` tokens; the order in memory is the one of `abi/llmir_abi.h`. The cache has value semantics; a value is
    consumed at most once (appended to, passed on or returned), so appending happens in place.
  }];
  let parameters = (ins "int64_t":$layers, "int64_t":$heads, "int64_t":$k_dim, "int64_t":$v_dim, "int64_t":$block,
                        "::mlir::Type":$element);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

class LlmAttr<string name, string attrMnemonic> : AttrDef<LlmDialect, name> {
  let mnemonic = attrMnemonic;
}

def RopeAttr : LlmAttr<"Rope", "rope"> {
  let summary = "the rotation of rotary position embedding";
  let description = [{
    Pair i of the first `dim` components of each head is rotated by the angle
    `position * theta^(-2i / dim) / factors[i]` and multiplied by `magnitude`. `factors` is empty (all 1) or has `dim / 2`
    entries; every scaling in use (linear, Llama 3, YaRN, LongRoPE) folds into factors and magnitude at import.
    Source: RoFormer, arXiv 2104.09864.
  }];
  let parameters = (ins "::llmir::llm::RopeStyle":$style, "int64_t":$dim, "::mlir::FloatAttr":$theta,
                        "::mlir::FloatAttr":$magnitude, "::mlir::DenseF32ArrayAttr":$factors);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def TargetAttr : LlmAttr<"Target", "target"> {
  let summary = "the machine that code is generated for";
  let description = [{
    What code generators and cost models ask; they never ask the host. `isa` is what the kernels are written for and
    `vector_bits` the width of its registers, `cpu` (a level), `tune` (a CPU) and `features` (beyond `cpu`) are LLVM's
    words, `flags` what /proc/cpuinfo must list where the code runs. Sizes are bytes: `l1d` and `l2` of a core, `l3`
    shared by the cores that share it; `bandwidth` is that of memory in bytes per second. 0 means: not known.
    ```mlir
    #llm.target<triple = "x86_64-unknown-linux-gnu", isa = avx2, vector_bits = 256, cpu = "x86-64-v3", tune = "znver3",
                flags = ["avx2", "fma"], l1d = 32768, l2 = 524288, l3 = 33554432, cores = 2>
    ```
  }];
  let parameters = (ins "::mlir::StringAttr":$triple, "::llmir::llm::CpuIsa":$isa, "int64_t":$vector_bits,
                        "::mlir::StringAttr":$cpu, OptionalParameter<"::mlir::StringAttr">:$tune,
                        OptionalParameter<"::mlir::StringAttr">:$features, OptionalParameter<"::mlir::ArrayAttr">:$flags,
                        DefaultValuedParameter<"int64_t", "0">:$l1d, DefaultValuedParameter<"int64_t", "0">:$l2,
                        DefaultValuedParameter<"int64_t", "0">:$l3, DefaultValuedParameter<"int64_t", "0">:$cores,
                        DefaultValuedParameter<"int64_t", "0">:$bandwidth);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

//===----------------------------------------------------------------------===//
// How a model is served: the parts of llm.workflow
//===----------------------------------------------------------------------===//

def BatchingAttr : LlmAttr<"Batching", "batching"> {
  let summary = "how requests become steps";
  let description = [{
    At most `max_sequences` requests run at the same time, and a step takes at most `token_budget` tokens. With
    `chunked_prefill` a prompt longer than what is left of the budget is cut; without, it waits until it fits whole.
    ```mlir
    #llm.batching<mode = continuous, max_sequences = 64, token_budget = 2048, chunked_prefill = true, policy = fcfs,
                  preemption = recompute>
    ```
  }];
  let parameters = (ins "::llmir::llm::BatchingMode":$mode, "int64_t":$max_sequences, "int64_t":$token_budget,
                        "bool":$chunked_prefill, "::llmir::llm::SchedulingPolicy":$policy,
                        "::llmir::llm::Preemption":$preemption);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def CachingAttr : LlmAttr<"Caching", "caching"> {
  let summary = "how the KV cache is kept and shared";
  let description = [{
    `block` tokens are stored, shared and given up together.
    ```mlir
    #llm.caching<block = 32, sharing = hash, eviction = lru>
    ```
  }];
  let parameters = (ins "int64_t":$block, "::llmir::llm::PrefixSharing":$sharing, "::llmir::llm::Eviction":$eviction);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def SpeculationAttr : LlmAttr<"Speculation", "speculation"> {
  let summary = "how many tokens are proposed ahead, and by whom";
  let description = [{
    `tokens` proposals are checked in one step; `draft` names the llm.model that makes them.
    ```mlir
    #llm.speculation<method = draft, tokens = 4, draft = @small>
    ```
  }];
  let parameters = (ins "::llmir::llm::SpeculationMethod":$method, DefaultValuedParameter<"int64_t", "0">:$tokens,
                        OptionalParameter<"::mlir::FlatSymbolRefAttr">:$draft);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def ParallelAttr : LlmAttr<"Parallel", "parallel"> {
  let summary = "how a model lies on several devices";
  let description = [{
    `tensor` devices share every layer, `pipeline` groups of them share the layers, `data` copies of all that share the
    requests.
    ```mlir
    #llm.parallel<tensor = 2, pipeline = 1, data = 4>
    ```
  }];
  let parameters = (ins "int64_t":$tensor, "int64_t":$pipeline, "int64_t":$data);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

#endif
