// Raw graphs, as they come from frameworks, and attention before it has a KV cache: what raising starts
// from and what stands between raising and the paged form.
#ifndef LLMIR_DIALECT_LLM_GRAPH_OPS_TD
#define LLMIR_DIALECT_LLM_GRAPH_OPS_TD

include "LlmOpBase.td"

def GraphOp : LlmOp<"graph", [IsolatedFromAbove, SymbolTable, Symbol, SingleBlock, NoTerminator, NoRegionArguments]> {
  let summary = "a graph of a framework: weights and @forward";
  let description = [{
    Holds `llm.weight`s and one function @forward. As it is imported, that computes on dense tensors, with ops of linalg,
    tensor, arith and math; raising turns it into a function of a batch. A graph that takes tokens and gives
    logits becomes an `llm.model`; a part of a model, such as one block, stays a graph.
    C1: there is a function @forward.
    ```mlir
    llm.graph @block attributes {source = "block.pt2"} {
      llm.weight @"attn.q.weight" : tensor<64x64xf32> from "attn.q.weight"
      func.func @forward(%x: tensor<1x?x64xf32>) -> tensor<1x?x64xf32> { ... }
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, OptionalAttr<StrAttr>:$source);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::func::FuncOp getForward();
  }];
}

def DenseAttentionOp : LlmOp<"dense_attention", [Pure]> {
  let summary = "causal attention among the tokens of a step";
  let description = [{
    For token t at position p of its sequence and query head h, with KV head h / (Hq / heads), the scores
    `s[j] = scale * q[t, h] · k[j]` are taken for the step's tokens j of the same sequence that are at positions ≤ p, and
    > p - window if there is a window; with softcap c, `s = c * tanh(s / c)`. The result is `softmax(s) · v`.
    What `llm.attention` computes if the cache was empty before the step: a graph that keeps no cache has this one.
    C1: k has a multiple of `heads` columns, and q a multiple of k's. C2: v has a multiple of `heads` columns. C3: the result
    has Hq * v_dim columns. C4: scale is positive and finite, and so are window and softcap.
    ```mlir
    %o = llm.dense_attention %q, %k, %v, %batch {heads = 3 : i64, scale = 1.25e-01 : f64}
           : (tensor<?x576xf32>, tensor<?x192xf32>, tensor<?x192xf32>, !llm.batch<mixed>) -> tensor<?x576xf32>
    ```
  }];
  let arguments = (ins Activations:$q, Activations:$k, Activations:$v, BatchType:$batch, I64Attr:$heads, F64Attr:$scale,
                       OptionalAttr<I64Attr>:$window, OptionalAttr<F64Attr>:$softcap);
  let results = (outs Activations:$result);
  let assemblyFormat = [{
    $q `,` $k `,` $v `,` $batch attr-dict `:` `(` type($q) `,` type($k) `,` type($v) `,` qualified(type($batch)) `)` `->` type($result)
  }];
  let hasVerifier = 1;
}

#endif
