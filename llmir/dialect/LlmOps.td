// The ops of the llm dialect, semantic first. T is the number of tokens of the step, R that of its logit rows.
#ifndef LLMIR_DIALECT_LLM_OPS_TD
#define LLMIR_DIALECT_LLM_OPS_TD

include "LlmExpertOps.td"
include "LlmGraphOps.td"
include "LlmOpBase.td"
include "LlmServingOps.td"

//===----------------------------------------------------------------------===//
// The model and its weights
//===----------------------------------------------------------------------===//

def ModelOp : LlmOp<"model", [IsolatedFromAbove, SymbolTable, Symbol, SingleBlock, NoTerminator, NoRegionArguments]> {
  let summary = "one model: configuration, weights, layer functions and @step";
  let description = [{
    Holds `llm.weight`s and `func.func`s. `@step(%batch, %kv) -> (logits, kv)` runs the tokens of one step; layers that
    are alike are one function that is called with the layer's index.
    C1: there is a function @step of type (!llm.batch, !llm.kv) -> (tensor<?xVxf32>, !llm.kv) with V = `vocabulary`.
    C2: a value of type !llm.kv is consumed at most once, and read before it is consumed.
    `source` names the file that the weights lie in, `target` the machine that code is generated for, once it is chosen.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$vocabulary, I64Attr:$context_length, OptionalAttr<StrAttr>:$source,
                       OptionalAttr<TargetAttr>:$target);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::func::FuncOp getStep();
    /// Layers of the cache that @step takes.
    KvType getKvType();
  }];
}

def WeightOp : LlmOp<"weight", [Symbol, ParentOneOf<["ModelOp", "GraphOp"]>]> {
  let summary = "a weight, or one for each of some layers";
  let description = [{
    Says where a weight lies (`from`: its name in the model's source file), never what its values are. With `layers`,
    the symbol stands for one tensor per listed layer, all of the same type, and `{}` in the name is the layer's number.
    The tensor has the symbol's type; where that is quantised it may hold floats, which are rounded to it on the way in.
    C1: `layers`, if given, is ascending and not negative. C2: the name has exactly one `{}` if and only if there are layers.
    ```mlir
    llm.weight @output_norm : tensor<576xf32> from "output_norm.weight"
    llm.weight @attn_q : tensor<576x576x!llm.quant<q4_1>> from "blk.{}.attn_q.weight" layers [0, 1, 2]
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttr:$type, StrAttr:$from, OptionalAttr<DenseI64ArrayAttr>:$layers);
  let assemblyFormat = "$sym_name `:` $type `from` $from (`layers` $layers^)? attr-dict";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The name in the source file of the tensor of `layer` (ignored for a weight without layers).
    std::string sourceName(int64_t layer);
    ::mlir::RankedTensorType getTensorType() { return ::mlir::cast<::mlir::RankedTensorType>(getType()); }
  }];
}

def GetWeightOp : LlmOp<"get_weight", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "a weight as a value";
  let description = [{
    C1: the symbol is an `llm.weight`. C2: its type is the result's. C3: a layer index is given if and only if it has layers.
    ```mlir
    %w = llm.get_weight @attn_q[%layer] : tensor<576x576x!llm.quant<q4_1>>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$weight, Optional<Index>:$layer);
  let results = (outs AnyWeight:$result);
  let assemblyFormat = "$weight (`[` $layer^ `]`)? attr-dict `:` type($result)";
}

//===----------------------------------------------------------------------===//
// The batch
//===----------------------------------------------------------------------===//

class BatchFieldOp<string fieldName, string what> : LlmOp<"batch." # fieldName, [Pure]> {
  let summary = what # " of the step's tokens";
  let description = "`%0 = llm.batch." # fieldName # " %batch : (!llm.batch<mixed>) -> tensor<?xi32>`";
  let arguments = (ins BatchType:$batch);
  let results = (outs IntPerToken:$result);
  let assemblyFormat = "$batch attr-dict `:` functional-type($batch, $result)";
}
def BatchTokensOp : BatchFieldOp<"tokens", "the ids">;
def BatchPositionsOp : BatchFieldOp<"positions", "the absolute positions">;

def LogitRowsOp : LlmOp<"logit_rows", [Pure]> {
  let summary = "the rows whose logits are wanted";
  let description = [{
    `result[r, :] = x[logit_rows[r], :]`, from T rows to R. C1: the columns stay.
    ```mlir
    %r = llm.logit_rows %x, %batch : (tensor<?x576xf32>, !llm.batch<mixed>) -> tensor<?x576xf32>
    ```
  }];
  let arguments = (ins Activations:$x, BatchType:$batch);
  let results = (outs Activations:$result);
  let assemblyFormat = "$x `,` $batch attr-dict `:` functional-type(operands, $result)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

def EmbedOp : LlmOp<"embed", [Pure]> {
  let summary = "rows of the embedding table";
  let description = [{
    `result[t, :] = dequantise(table[tokens[t], :])`. C1: table and result have the same columns.
    ```mlir
    %x = llm.embed %tokens, %table : (tensor<?xi32>, tensor<49152x576xf16>) -> tensor<?x576xf32>
    ```
  }];
  let arguments = (ins IntPerToken:$tokens, WeightMatrix:$table);
  let results = (outs Activations:$result);
  let assemblyFormat = "$tokens `,` $table attr-dict `:` functional-type(operands, $result)";
  let hasVerifier = 1;
}

def RmsNormOp : LlmOp<"rms_norm", [Pure, AllTypesMatch<["x", "result"]>]> {
  let summary = "root-mean-square normalisation of each group of columns";
  let description = [{
    With g = the weight's length, each row is cut into groups of g columns (one group if g = D):
    `result = x / sqrt(mean(x^2) + eps) * weight` within the group. QK norms have g = head size.
    C1: the columns are a multiple of the weight's length. C2: eps is positive. Source: arXiv 1910.07467.
    ```mlir
    %n = llm.rms_norm %x, %w {eps = 1.0e-05 : f64} : tensor<?x576xf32>, tensor<576xf32>
    ```
  }];
  let arguments = (ins Activations:$x, WeightVector:$weight, F64Attr:$eps);
  let results = (outs Activations:$result);
  let assemblyFormat = "$x `,` $weight attr-dict `:` type($x) `,` type($weight)";
  let hasVerifier = 1;
}

def LayerNormOp : LlmOp<"layer_norm", [Pure, AllTypesMatch<["x", "result"]>]> {
  let summary = "layer normalisation of each row";
  let description = [{
    `result = (x - mean(x)) / sqrt(variance(x) + eps) * weight + bias`, the variance being the biased one.
    C1: weight and bias have as many elements as the row. C2: eps is positive. Source: arXiv 1607.06450.
    ```mlir
    %n = llm.layer_norm %x, %w bias %b {eps = 1.0e-05 : f64} : tensor<?x576xf32>, tensor<576xf32>, tensor<576xf32>
    ```
  }];
  let arguments = (ins Activations:$x, WeightVector:$weight, Optional<WeightVector>:$bias, F64Attr:$eps);
  let results = (outs Activations:$result);
  let assemblyFormat = "$x `,` $weight (`bias` $bias^)? attr-dict `:` type($x) `,` type($weight) (`,` type($bias)^)?";
  let hasVerifier = 1;
}

def LinearOp : LlmOp<"linear", [Pure]> {
  let summary = "a matrix product with a weight";
  let description = [{
    `result[t, n] = sum_k x[t, k] * weight[n, k] + bias[n]`. The sum is taken in one fixed order for every t (see
    docs/dialect.md), so a row's result does not depend on what else is in the batch. Quantised activations are
    multiplied as integers within each group of 32.
    C1: weight and x have the same columns. C2: the result has as many columns as the weight has rows. C3: so has the bias.
    C4: quantised activations meet a quantised weight.
    ```mlir
    %y = llm.linear %x, %w : (tensor<?x576xf32>, tensor<1536x576xf16>) -> tensor<?x1536xf32>
    ```
  }];
  let arguments = (ins AnyActivations:$x, WeightMatrix:$weight, Optional<WeightVector>:$bias);
  let results = (outs Activations:$result);
  let assemblyFormat = "$x `,` $weight (`bias` $bias^)? attr-dict `:` functional-type(operands, $result)";
  let hasVerifier = 1;
}

def QuantizeOp : LlmOp<"quantize", [Pure]> {
  let summary = "activations to integers with a scale for every 32";
  let description = [{
    The rounding of `quantizeActivations` in quant/Format.h: per row and group of 32 columns, the largest magnitude
    becomes 127 (a8) or 32767 (a16). Rows of experts are quantised one by one.
    C1: x and result have the same columns, a multiple of 32. C2: they have the same rows.
    ```mlir
    %q = llm.quantize %x : (tensor<?x576xf32>) -> tensor<?x576x!llm.quant<a8>>
    ```
  }];
  let arguments = (ins FloatRows:$x);
  let results = (outs QuantRows:$result);
  let assemblyFormat = "$x attr-dict `:` functional-type($x, $result)";
  let hasVerifier = 1;
}

def RopeOp : LlmOp<"rope", [Pure, AllTypesMatch<["x", "result"]>]> {
  let summary = "rotary position embedding of every head";
  let description = [{
    Each row is cut into heads of `head_dim` columns; within a head the first `rope.dim` are rotated as #llm.rope says,
    the others stay. Layers that rotate differently have a table `ropes`, one entry for each layer of the model.
    C1: the columns are a multiple of head_dim. C2: rope.dim is even and at most head_dim. C3: there is `rope`, or `ropes`
    and a layer index. C4: `ropes` has as many entries as the model's cache has layers, all of one style and dim.
    ```mlir
    %r = llm.rope %q, %positions {head_dim = 64 : i64, rope = #llm.rope<style = interleaved, dim = 64, theta = 1.0e+04 : f64,
           magnitude = 1.0 : f64, factors = []>} : tensor<?x576xf32>, tensor<?xi32>
    %s = llm.rope %q, %positions[%layer] {head_dim = 64 : i64, ropes = [#local, #global]} : tensor<?x576xf32>, tensor<?xi32>
    ```
  }];
  let arguments = (ins Activations:$x, IntPerToken:$positions, Optional<Index>:$layer, I64Attr:$head_dim,
                       OptionalAttr<RopeAttr>:$rope, OptionalAttr<TypedArrayAttrBase<RopeAttr, "rotations">>:$ropes);
  let results = (outs Activations:$result);
  let assemblyFormat = "$x `,` $positions (`[` $layer^ `]`)? attr-dict `:` type($x) `,` type($positions)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The rotation of every layer: one entry if it is the same for all.
    ::llvm::SmallVector<RopeAttr> getRotations();
  }];
}

def GluOp : LlmOp<"glu", [Pure, AllTypesMatch<["gate", "up", "result"]>]> {
  let summary = "a gated linear unit's product";
  let description = [{
    `result = activation(gate) * up`, element by element. Source: arXiv 2002.05202.
    ```mlir
    %h = llm.glu silu %gate, %up : tensor<?x1536xf32>
    ```
  }];
  let arguments = (ins ActivationAttr:$activation, FloatRows:$gate, FloatRows:$up);
  let results = (outs FloatRows:$result);
  let assemblyFormat = "$activation $gate `,` $up attr-dict `:` type($gate)";
}

def ActivateOp : LlmOp<"activate", [Pure, AllTypesMatch<["x", "result"]>]> {
  let summary = "an element-wise non-linearity";
  let description = "`%h = llm.activate gelu_tanh %x : tensor<?x1536xf32>`";
  let arguments = (ins ActivationAttr:$activation, Activations:$x);
  let results = (outs Activations:$result);
  let assemblyFormat = "$activation $x attr-dict `:` type($x)";
}

def ScaleOp : LlmOp<"scale", [Pure, AllTypesMatch<["x", "result"]>]> {
  let summary = "multiplication by a constant";
  let description = "`%y = llm.scale %x by 1.25e-01 : tensor<?x576xf32>`";
  let arguments = (ins Activations:$x, F64Attr:$factor);
  let results = (outs Activations:$result);
  let assemblyFormat = "$x `by` $factor attr-dict `:` type($x)";
  let hasFolder = 1;
}

def SoftcapOp : LlmOp<"softcap", [Pure, AllTypesMatch<["x", "result"]>]> {
  let summary = "a smooth limit of the magnitude";
  let description = [{
    `result = cap * tanh(x / cap)`. C1: cap is positive.
    ```mlir
    %y = llm.softcap %logits at 3.0e+01 : tensor<?x49152xf32>
    ```
  }];
  let arguments = (ins Activations:$x, F64Attr:$cap);
  let results = (outs Activations:$result);
  let assemblyFormat = "$x `at` $cap attr-dict `:` type($x)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Attention over the paged KV cache
//===----------------------------------------------------------------------===//

def KvAppendOp : LlmOp<"kv_append", [AllTypesMatch<["kv", "result"]>]> {
  let summary = "store the step's keys and values";
  let description = [{
    Token t's heads of `k` and `v` go to slot `slot_mapping[t]` of the layer, rounded to the cache's element type. The
    result is the cache afterwards; the operand is consumed. C1: k has heads * k_dim columns. C2: v has heads * v_dim.
    ```mlir
    %kv1 = llm.kv_append %kv[%layer], %k, %v, %batch : !kv, tensor<?x192xf32>, tensor<?x192xf32>, !llm.batch<mixed>
    ```
  }];
  let arguments = (ins KvType:$kv, Index:$layer, Activations:$k, Activations:$v, BatchType:$batch);
  let results = (outs KvType:$result);
  let assemblyFormat = "$kv `[` $layer `]` `,` $k `,` $v `,` $batch attr-dict `:` qualified(type($kv)) `,` type($k) `,` type($v) `,` qualified(type($batch))";
  let hasVerifier = 1;
}

def AttentionOp : LlmOp<"attention", [Pure]> {
  let summary = "causal attention over the KV cache";
  let description = [{
    For token t at position p of its sequence and query head h, with KV head h / (Hq / heads), the scores
    `s[j] = scale * q[t, h] · K[j]` are taken for the positions j ≤ p, and j > p - window if there is a window; with
    softcap c, `s = c * tanh(s / c)`. The result is `softmax(s) · V`. K and V are read through the cache, the step's own
    tokens too, so they must be appended before. Softmax is taken block by block in ascending order, so the result does
    not depend on chunking or batch. Layers with different windows have a table `windows`: an entry for each layer of
    the cache, 0 where there is none.
    C1: q has a multiple of heads * k_dim columns. C2: the result has Hq * v_dim columns. C3: scale is positive and
    finite. C4: window and softcap are positive. C5: `windows` excludes `window`, has as many entries as the cache has
    layers, and none is negative.
    ```mlir
    %o = llm.attention %q, %kv[%layer], %batch {scale = 1.25e-01 : f64} : (tensor<?x576xf32>, !kv, !llm.batch<mixed>) -> tensor<?x576xf32>
    ```
  }];
  let arguments = (ins Activations:$q, KvType:$kv, Index:$layer, BatchType:$batch, F64Attr:$scale,
                       OptionalAttr<I64Attr>:$window, OptionalAttr<DenseI64ArrayAttr>:$windows,
                       OptionalAttr<F64Attr>:$softcap);
  let results = (outs Activations:$result);
  let assemblyFormat = [{
    $q `,` $kv `[` $layer `]` `,` $batch attr-dict `:` `(` type($q) `,` qualified(type($kv)) `,` qualified(type($batch)) `)` `->` type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    bool hasWindow() { return getWindow() || getWindows(); }
    int64_t getQueryHeads() { return getQ().getType().getDimSize(1) / getKv().getType().getKDim(); }
  }];
}

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

def FuseOp : LlmOp<"fuse", [IsolatedFromAbove, SingleBlockImplicitTerminator<"YieldOp">, RecursiveMemoryEffects]> {
  let summary = "one phase between two barriers";
  let description = [{
    Each worker computes its own part of all ops inside, cut as `partition` says, and meets the others at the end.
    Inlining the region is always legal.

    What stands in front of the first product or attention of a `features` or `heads` phase is the *prologue*: row-wise
    ops whose results nothing outside of the phase uses, but for the cache. In a small step each worker computes of it
    what its part of the phase needs, for itself; in any other the workers share its rows, and a barrier ends it.

    C1: as many block arguments as operands, of the same types. C2: the yielded types are the results'.
    ```mlir
    %q = llm.fuse tokens (%a = %x, %b = %w) : (tensor<?x576xf32>, tensor<576xf32>) -> tensor<?x576x!llm.quant<a8>> {
      %n = llm.rms_norm %a, %b {eps = 1.0e-05 : f64} : tensor<?x576xf32>, tensor<576xf32>
      %r = llm.quantize %n : (tensor<?x576xf32>) -> tensor<?x576x!llm.quant<a8>>
      llm.yield %r : tensor<?x576x!llm.quant<a8>>
    }
    ```
  }];
  let arguments = (ins PartitionAttr:$partition, Variadic<AnyType>:$inputs);
  let results = (outs Variadic<AnyType>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def YieldOp : LlmOp<"yield", [Pure, Terminator, ReturnLike, HasParent<"FuseOp">]> {
  let summary = "the results of a phase";
  let description = "`llm.yield %r : tensor<?x576xf32>`";
  let arguments = (ins Variadic<AnyType>:$operands);
  let builders = [OpBuilder<(ins), [{}]>];
  let assemblyFormat = "attr-dict ($operands^ `:` type($operands))?";
}

#endif
