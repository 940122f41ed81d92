// Mixtures of experts: the op that models are written with, and the ops that it expands to. T is the number of tokens of
// the step, E that of the experts, S that of the experts a token is given to. A row of a tensor<?xSxD> belongs to token
// t and its expert of rank s.
#ifndef LLMIR_DIALECT_LLM_EXPERT_OPS_TD
#define LLMIR_DIALECT_LLM_EXPERT_OPS_TD

include "LlmOpBase.td"

def MoeOp : LlmOp<"moe", [Pure, AllTypesMatch<["x", "result"]>]> {
  let summary = "a mixture of gated MLPs, a few of which each token is given to";
  let description = [{
    For token t, with the router's logits l = `router[t, :]`: the experts e[0], …, e[top_k - 1] are those with the largest
    logits, in descending order, of equal ones the lower number first (rank 0 is the best). Their scores are
    `s[j] = exp(l[e[j]]) / sum_i exp(l[i])` (softmax, over all experts) or `1 / (1 + exp(-l[e[j]]))` (sigmoid); with
    `renormalise` they are divided by their sum; then they are multiplied by `scale`: the weights w[j]. The result is
    `sum_j w[j] * down[e[j]] · (activation(gate[e[j]] · x[t]) * (up[e[j]] · x[t]))`, taken in ascending rank j, so a
    token's result does not depend on what else is in the batch.
    C1: the router has a column for each expert. C2: gate and up are [experts, inner, hidden], down is [experts, hidden,
    inner], with hidden = x's columns. C3: top_k is from 1 to the number of experts. C4: scale is positive and finite.
    Source: arXiv 2401.04088 (softmax, renormalised), 2412.19437 (sigmoid).
    ```mlir
    %y = llm.moe silu %x, %gate, %up, %down by softmax %router top 2 {renormalise} : (tensor<?x64xf32>,
           tensor<8x96x64x!llm.quant<q4_0>>, tensor<8x96x64x!llm.quant<q4_0>>, tensor<8x64x96x!llm.quant<q4_0>>,
           tensor<?x8xf32>) -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins ActivationAttr:$activation, Activations:$x, ExpertMatrices:$gate, ExpertMatrices:$up,
                       ExpertMatrices:$down, ScoringAttr:$scoring, Activations:$router, I64Attr:$top_k,
                       UnitAttr:$renormalise, DefaultValuedAttr<F64Attr, "1.0">:$scale);
  let results = (outs Activations:$result);
  let assemblyFormat = [{
    $activation $x `,` $gate `,` $up `,` $down `by` $scoring $router `top` $top_k attr-dict
    `:` functional-type(operands, $result)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// What llm.moe expands to
//===----------------------------------------------------------------------===//

def ExpertsRouteOp : LlmOp<"experts.route", [Pure]> {
  let summary = "the experts that each token is given to, and their weights";
  let description = [{
    e[0 … S - 1] and w[0 … S - 1] of llm.moe for each row of the router's logits.
    C1: both results have the same S, from 1 to the number of experts. C2: scale is positive and finite.
    ```mlir
    %experts, %weights = llm.experts.route softmax %router {renormalise} : (tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
    ```
  }];
  let arguments = (ins ScoringAttr:$scoring, Activations:$router, UnitAttr:$renormalise,
                       DefaultValuedAttr<F64Attr, "1.0">:$scale);
  let results = (outs ExpertNumbers:$experts, Activations:$weights);
  let assemblyFormat = "$scoring $router attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def ExpertsGroupOp : LlmOp<"experts.group", [Pure, AllTypesMatch<["experts", "order"]>]> {
  let summary = "the rows of all tokens, sorted by expert";
  let description = [{
    With the rows of all tokens and ranks numbered `t * S + s`, `order` lists these numbers sorted by expert, those of one
    expert ascending: what lets each expert's weights be read once for all its tokens.
    C1: there is at least one expert (`of`); all numbers in `experts` are below it.
    ```mlir
    %order = llm.experts.group %experts of 8 : tensor<?x2xi32>
    ```
  }];
  let arguments = (ins ExpertNumbers:$experts, I64Attr:$of);
  let results = (outs ExpertNumbers:$order);
  let assemblyFormat = "$experts `of` $of attr-dict `:` type($experts)";
  let hasVerifier = 1;
}

def ExpertsLinearOp : LlmOp<"experts.linear", [Pure, AllTypesMatch<["experts", "order"]>]> {
  let summary = "a matrix product of each row with the weight of its expert";
  let description = [{
    `result[t, s, n] = sum_k x[t, s, k] * weight[experts[t, s], n, k]`; an x without ranks has the same row for all of a
    token's experts. Sums are those of llm.linear. `order` is llm.experts.group's of `experts`.
    C1: weight and x have the same columns. C2: the result is [?, S, N] with N = the weight's rows. C3: an x with ranks has
    as many as there are experts of a token. C4: quantised rows meet a quantised weight.
    ```mlir
    %h = llm.experts.linear %x, %w, %experts, %order : (tensor<?x64xf32>, tensor<8x96x64xf16>, tensor<?x2xi32>, tensor<?x2xi32>) -> tensor<?x2x96xf32>
    ```
  }];
  let arguments = (ins AnyRows:$x, ExpertMatrices:$weight, ExpertNumbers:$experts, ExpertNumbers:$order);
  let results = (outs ExpertRows:$result);
  let assemblyFormat = "$x `,` $weight `,` $experts `,` $order attr-dict `:` functional-type(operands, $result)";
  let hasVerifier = 1;
}

def ExpertsCombineOp : LlmOp<"experts.combine", [Pure]> {
  let summary = "the weighted sum of a token's experts";
  let description = [{
    `result[t, :] = sum_s weights[t, s] * x[t, s, :]`, in ascending s.
    C1: the result has x's columns. C2: there is a weight for each rank.
    ```mlir
    %y = llm.experts.combine %x, %weights : (tensor<?x2x64xf32>, tensor<?x2xf32>) -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins ExpertRows:$x, Activations:$weights);
  let results = (outs Activations:$result);
  let assemblyFormat = "$x `,` $weights attr-dict `:` functional-type(operands, $result)";
  let hasVerifier = 1;
}

#endif
