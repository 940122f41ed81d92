// What stands beside the computation of logits: choosing tokens from them, and how a model is served.
#ifndef LLMIR_DIALECT_LLM_SERVING_OPS_TD
#define LLMIR_DIALECT_LLM_SERVING_OPS_TD

include "LlmOpBase.td"

def SampleOp : LlmOp<"sample", [Pure]> {
  let summary = "a token for each row of logits";
  let description = [{
    The tokens of a row, sorted by descending logit l, of equal ones the lower id first, go through these filters in this
    order, each of which keeps the first n:
      1. top_k > 0: n = top_k.
      2. top_p < 1: the smallest n with `sum_{i < n} exp(l[i]) >= top_p * sum_i exp(l[i])`.
      3. min_p > 0: those with `l[i] >= l[0] + log(min_p)`.
    Then l is divided by `temperature`, and the token is the first n with `sum_{i <= n} exp(l[i]) > point * sum_i exp(l[i])`
    for the row's `point`, a number from [0, 1) that the caller has drawn. Here i goes through the tokens that are left in
    the order above if those filters are on (0 < top_k < V or top_p < 1), else by ascending id: nothing need be
    sorted then. Where rounding leaves no such n it is the best token. With
    temperature 0 it is the best token, whatever the rest says. This is what runtime/sampling does for a request;
    penalties, which need the tokens so far, are put on the logits before.
    C1: there is one point for each row. C2: temperature is from 0 to 100. C3: top_k is not negative. C4: top_p and min_p
    are from 0 to 1.
    ```mlir
    %ids = llm.sample %logits, %points {temperature = 0.8 : f64, top_k = 40 : i64} : (tensor<?x49152xf32>, tensor<?x1xf32>) -> tensor<?xi32>
    ```
  }];
  let arguments = (ins Activations:$logits, Activations:$points, F64Attr:$temperature,
                       DefaultValuedAttr<I64Attr, "0">:$top_k, DefaultValuedAttr<F64Attr, "1.0">:$top_p,
                       DefaultValuedAttr<F64Attr, "0.0">:$min_p);
  let results = (outs IntPerToken:$result);
  let assemblyFormat = "$logits `,` $points attr-dict `:` functional-type(operands, $result)";
  let hasVerifier = 1;
}

def WorkflowOp : LlmOp<"workflow", [Symbol, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "how a model is served";
  let description = [{
    Stands beside the llm.model that it names. It says nothing of what is computed, so it goes through all phases as it
    is: the runtime executes it, and passes may specialise for it.
    C1: `serves` names an llm.model. C2: the block size is that of the model's cache. C3: without chunked prefill the token
    budget holds the model's whole context. C4: a draft is another llm.model with the same vocabulary. C5: the tensor
    parallel devices divide the model's KV heads, the pipeline its layers.
    ```mlir
    llm.workflow @chat serves @smollm2
      batching <mode = continuous, max_sequences = 64, token_budget = 2048, chunked_prefill = true, policy = fcfs, preemption = recompute>
      cache <block = 32, sharing = hash, eviction = lru>
      speculation <method = ngram, tokens = 4>
      parallel <tensor = 1, pipeline = 1, data = 1>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, FlatSymbolRefAttr:$serves, BatchingAttr:$batching, CachingAttr:$cache,
                       SpeculationAttr:$speculation, ParallelAttr:$parallel);
  let assemblyFormat = [{
    $sym_name `serves` $serves `batching` $batching `cache` $cache `speculation` $speculation `parallel` $parallel
    attr-dict
  }];
}

#endif
