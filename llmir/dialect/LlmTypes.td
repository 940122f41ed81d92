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

#endif
