// The passes of llm → llm: one pass a file, one lit file each, named alike. Those without an op run on llm.model and
// llm.graph alike.
#ifndef LLMIR_TRANSFORMS_PASSES_TD
#define LLMIR_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def RaisePass : Pass<"llm-raise", "::llmir::llm::GraphOp"> {
  let summary = "Turn a graph of primitive ops into llm ops";
  let description = [{
    Before: an `llm.graph` as it was imported: @forward in `linalg`, `tensor`, `arith` and `math`, on tensors of one batch,
    tokens and columns.
    After: @forward takes a batch (and the hidden states, if it embeds no tokens), and computes on rows of tokens with
    `llm.embed`, `llm.linear`, norms, `llm.rope`, `llm.dense_attention`, `llm.glu` and their like.

    It goes by what an element is computed from, in a normal form that has no reshapes, transposes and copies any more:
    activations are recognised by their values, rotations by the angles that they turn by, and masks are compared as sets of
    pairs of positions. Masks count as minus infinity from -10000 downwards, and casts of floats as identities. Anything
    that the dialect has no op for is an error that says what was expected.
  }];
  let dependentDialects = ["::llmir::llm::LlmDialect"];
}

def PageAttentionPass : Pass<"llm-page-attention", "::llmir::llm::GraphOp"> {
  let summary = "Give the attentions of a graph a paged KV cache";
  let description = [{
    Before: `%o = llm.dense_attention %q, %k, %v, %batch` in @forward.
    After: `%kv1 = llm.kv_append %kv0[%c0], %k, %v, %batch`, `%o = llm.attention %q, %kv1[%c0], %batch`. @forward takes the
    cache as its last argument and gives it as its last result; layers are numbered in the order of the ops. All must have
    the same heads and columns. A graph without attention stays as it is.
  }];
  let options = [Option<"kv", "kv", "std::string", "\"f16\"", "numbers of the cache: f16 or f32">,
                 Option<"block", "block", "int64_t", "32", "tokens of a block of the cache">];
  let dependentDialects = ["::llmir::llm::LlmDialect"];
}

def FormModelPass : Pass<"llm-form-model", "::mlir::ModuleOp"> {
  let summary = "Make models of graphs from tokens to logits";
  let description = [{
    Before: an `llm.graph` whose @forward takes a batch and a cache, looks up embeddings and gives logits of all tokens and
    the cache.
    After: an `llm.model` whose @step takes `llm.logit_rows` behind the last layer. Its context length is the graph's attribute
    `context_length`, or else the option. Other graphs stay, with a remark that says why.
  }];
  let options = [Option<"contextLength", "context-length", "int64_t", "4096", "positions, where the graph does not say">,
                 Option<"name", "name", "std::string", "\"model\"", "symbol of the model">];
  let dependentDialects = ["::llmir::llm::LlmDialect"];
}

def RollLayersPass : Pass<"llm-roll-layers"> {
  let summary = "One function for all layers that are alike";
  let description = [{
    Runs on `llm.model` (@step) and `llm.graph` (@forward). Before: the ops of all layers one after the other, each with
    weights of its own, such as `llm.weight @"layers.3.up.weight"`.
    After: `func.func private @layer(%number, %x, %batch, %kv)`, called once for each layer, and for each weight of a layer
    one `llm.weight` from `"layers.{}.up.weight" layers [0, 1, ...]`. Windows and rotations that differ become the tables
    `windows` and `ropes`. Layers that differ in more, the types of their weights too, become functions of their own.

    A layer begins where one tensor of activations is all that is needed further on and attention comes before the next
    such point. The names of its weights must differ by the layer's number alone: its number in the cache, or, without one,
    counted from 0. What stays unrolled has a remark that says why.
  }];
  let dependentDialects = ["::llmir::llm::LlmDialect"];
}

def ExpandExpertsPass : Pass<"llm-expand-experts"> {
  let summary = "Split mixtures of experts into ops that fit into phases";
  let description = [{
    Before: `%y = llm.moe silu %x, %gate, %up, %down by softmax %router top 2`.
    After: `llm.experts.route` and `llm.experts.group` choose each token's experts and sort the rows by expert,
    `llm.experts.linear` multiplies each row with its expert's gate and up, `llm.glu` and a third product follow, and
    `llm.experts.combine` adds up each token's experts.
  }];
  let dependentDialects = ["::llmir::llm::LlmDialect"];
}

def QuantizeWeightsPass : Pass<"llm-quantize-weights"> {
  let summary = "Give float matrices a quantised type";
  let description = [{
    Before: `llm.weight @w : tensor<8x32xf16>`, read by products (`llm.linear`, `llm.experts.linear`, `llm.moe`) or as an
    embedding table (`llm.embed`).
    After: `llm.weight @w : tensor<8x32x!llm.quant<q8_0>>`, and so its `llm.get_weight`s: whoever loads the tensor rounds it
    to nearest, in groups of 32 columns. int8 is q8_0. int4 is q4_0, but for embedding tables and the matrix that gives the
    logits: few bits hurt most there, so they become q8_0.

    Matrices that are quantised already stay, so do vectors and what gives the logits of a router of experts. A matrix whose
    columns are no multiple of 32 stays, with a warning. There is one, too, if nothing is left to quantise.
  }];
  let options = [Option<"weights", "weights", "std::string", "\"int8\"", "precision of the weights: int8 or int4">];
  let dependentDialects = ["::llmir::llm::LlmDialect"];
}

def QuantizeActivationsPass : Pass<"llm-quantize-activations"> {
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

def FusePass : Pass<"llm-fuse"> {
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
