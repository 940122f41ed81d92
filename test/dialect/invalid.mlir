// One case for every constraint of the dialect: what the verifiers and parsers refuse, and how they say it.
// RUN: llmir-opt %s -split-input-file -verify-diagnostics

// model C1: no @step
// expected-error@+1 {{'llm.model' op C1: has no function @step}}
llm.model @m attributes {context_length = 8 : i64, vocabulary = 4 : i64} {
}

// -----

// model C1: @step has no body
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
// expected-error@+1 {{C1: has no function @step}}
llm.model @m attributes {context_length = 8 : i64, vocabulary = 4 : i64} {
  func.func private @step(!llm.batch<mixed>, !kv) -> (tensor<?x4xf32>, !kv)
}

// -----

// model C1: the cache is not given back
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
llm.model @m attributes {context_length = 8 : i64, vocabulary = 4 : i64} {
  llm.weight @table : tensor<4x4xf32> from "table"
  // expected-error@+1 {{C1: must have the type (!llm.batch, !llm.kv) -> (tensor<?xVxf32>, !llm.kv)}}
  func.func @step(%batch: !llm.batch<mixed>, %kv: !kv) -> tensor<?x4xf32> {
    %w = llm.get_weight @table : tensor<4x4xf32>
    %t = llm.batch.tokens %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    %x = llm.embed %t, %w : (tensor<?xi32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    return %x : tensor<?x4xf32>
  }
}

// -----

// model C1: the logits are not as wide as the vocabulary
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
llm.model @m attributes {context_length = 8 : i64, vocabulary = 4 : i64} {
  llm.weight @table : tensor<4x8xf32> from "table"
  // expected-error@+1 {{C1: must give logits of 4 columns, the vocabulary}}
  func.func @step(%batch: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x8xf32>, !kv) {
    %w = llm.get_weight @table : tensor<4x8xf32>
    %t = llm.batch.tokens %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    %x = llm.embed %t, %w : (tensor<?xi32>, tensor<4x8xf32>) -> tensor<?x8xf32>
    return %x, %kv : tensor<?x8xf32>, !kv
  }
}

// -----

// model C2: a cache is appended to twice (uses are listed last first)
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
llm.model @m attributes {context_length = 8 : i64, vocabulary = 8 : i64} {
  llm.weight @table : tensor<4x8xf32> from "table"
  llm.weight @big : tensor<16x8xf32> from "big"
  func.func @step(%batch: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x8xf32>, !kv) {
    %w = llm.get_weight @table : tensor<4x8xf32>
    %t = llm.batch.tokens %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    %x = llm.embed %t, %w : (tensor<?xi32>, tensor<4x8xf32>) -> tensor<?x8xf32>
    %zero = arith.constant 0 : index
    %big = llm.get_weight @big : tensor<16x8xf32>
    %v = llm.linear %x, %big : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
    // expected-error@+1 {{C2: consumes a KV cache that llm.kv_append consumes already}}
    %kv1 = llm.kv_append %kv[%zero], %x, %v, %batch : !kv, tensor<?x8xf32>, tensor<?x16xf32>, !llm.batch<mixed>
    %kv2 = llm.kv_append %kv[%zero], %x, %v, %batch : !kv, tensor<?x8xf32>, tensor<?x16xf32>, !llm.batch<mixed>
    return %x, %kv2 : tensor<?x8xf32>, !kv
  }
}

// -----

// model C2: a cache is read after an append
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
llm.model @m attributes {context_length = 8 : i64, vocabulary = 8 : i64} {
  llm.weight @table : tensor<4x8xf32> from "table"
  llm.weight @big : tensor<16x8xf32> from "big"
  func.func @step(%batch: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x8xf32>, !kv) {
    %w = llm.get_weight @table : tensor<4x8xf32>
    %t = llm.batch.tokens %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    %x = llm.embed %t, %w : (tensor<?xi32>, tensor<4x8xf32>) -> tensor<?x8xf32>
    %zero = arith.constant 0 : index
    %big = llm.get_weight @big : tensor<16x8xf32>
    %v = llm.linear %x, %big : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
    %kv1 = llm.kv_append %kv[%zero], %x, %v, %batch : !kv, tensor<?x8xf32>, tensor<?x16xf32>, !llm.batch<mixed>
    // expected-error@+1 {{C2: reads a KV cache after llm.kv_append has consumed it}}
    %o = llm.attention %x, %kv[%zero], %batch {scale = 1.0 : f64} : (tensor<?x8xf32>, !kv, !llm.batch<mixed>) -> tensor<?x16xf32>
    return %x, %kv1 : tensor<?x8xf32>, !kv
  }
}

// -----

// model C2: a cache is read in a phase after an append
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
llm.model @m attributes {context_length = 8 : i64, vocabulary = 8 : i64} {
  llm.weight @table : tensor<4x8xf32> from "table"
  llm.weight @big : tensor<16x8xf32> from "big"
  func.func @step(%batch: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x8xf32>, !kv) {
    %w = llm.get_weight @table : tensor<4x8xf32>
    %t = llm.batch.tokens %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    %x = llm.embed %t, %w : (tensor<?xi32>, tensor<4x8xf32>) -> tensor<?x8xf32>
    %zero = arith.constant 0 : index
    %big = llm.get_weight @big : tensor<16x8xf32>
    %v = llm.linear %x, %big : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
    %kv1 = llm.kv_append %kv[%zero], %x, %v, %batch : !kv, tensor<?x8xf32>, tensor<?x16xf32>, !llm.batch<mixed>
    // expected-error@+1 {{C2: reads a KV cache after llm.kv_append has consumed it}}
    %o = llm.fuse heads (%q = %x, %c = %kv, %l = %zero, %b = %batch) : (tensor<?x8xf32>, !kv, index, !llm.batch<mixed>) -> tensor<?x16xf32> {
      %a = llm.attention %q, %c[%l], %b {scale = 1.0 : f64} : (tensor<?x8xf32>, !kv, !llm.batch<mixed>) -> tensor<?x16xf32>
      llm.yield %a : tensor<?x16xf32>
    }
    return %x, %kv1 : tensor<?x8xf32>, !kv
  }
}

// -----

// model C2: a loop consumes the cache from outside again and again
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
llm.model @m attributes {context_length = 8 : i64, vocabulary = 8 : i64} {
  llm.weight @table : tensor<4x8xf32> from "table"
  llm.weight @big : tensor<16x8xf32> from "big"
  func.func @step(%batch: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x8xf32>, !kv) {
    %w = llm.get_weight @table : tensor<4x8xf32>
    %t = llm.batch.tokens %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    %x = llm.embed %t, %w : (tensor<?xi32>, tensor<4x8xf32>) -> tensor<?x8xf32>
    %zero = arith.constant 0 : index
    %big = llm.get_weight @big : tensor<16x8xf32>
    %v = llm.linear %x, %big : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
    %one = arith.constant 1 : index
    scf.for %i = %zero to %one step %one {
      // expected-error@+1 {{C2: consumes a KV cache of another block}}
      %kv1 = llm.kv_append %kv[%zero], %x, %v, %batch : !kv, tensor<?x8xf32>, tensor<?x16xf32>, !llm.batch<mixed>
    }
    return %x, %kv : tensor<?x8xf32>, !kv
  }
}

// -----

// weight C1: layers that do not ascend
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
llm.model @m attributes {context_length = 8 : i64, vocabulary = 8 : i64} {
  // expected-error@+1 {{C1: layers must be ascending and not negative}}
  llm.weight @w : tensor<8xf32> from "w.{}" layers [1, 1]
  func.func private @step(!llm.batch<mixed>, !kv) -> (tensor<?x8xf32>, !kv)
}

// -----

// weight C1: a negative layer
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
llm.model @m attributes {context_length = 8 : i64, vocabulary = 8 : i64} {
  // expected-error@+1 {{C1: layers must be ascending and not negative}}
  llm.weight @w : tensor<8xf32> from "w.{}" layers [-1, 1]
  func.func private @step(!llm.batch<mixed>, !kv) -> (tensor<?x8xf32>, !kv)
}

// -----

// weight C2: layers, but no place for their number
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
llm.model @m attributes {context_length = 8 : i64, vocabulary = 8 : i64} {
  // expected-error@+1 {{C2: the name must have one '{}' for the layer}}
  llm.weight @w : tensor<8xf32> from "w" layers [0]
  func.func private @step(!llm.batch<mixed>, !kv) -> (tensor<?x8xf32>, !kv)
}

// -----

// weight C2: a place for a number, but no layers
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
llm.model @m attributes {context_length = 8 : i64, vocabulary = 8 : i64} {
  // expected-error@+1 {{C2: the name must have no '{}' without layers}}
  llm.weight @w : tensor<8xf32> from "w.{}"
  func.func private @step(!llm.batch<mixed>, !kv) -> (tensor<?x8xf32>, !kv)
}

// -----

// weight: a row is no whole number of blocks
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
llm.model @m attributes {context_length = 8 : i64, vocabulary = 8 : i64} {
  // expected-error@+1 {{type must be a static vector, matrix or list of matrices of f32, f16, bf16 or !llm.quant, its rows whole blocks}}
  llm.weight @w : tensor<4x48x!llm.quant<q4_0>> from "w"
  func.func private @step(!llm.batch<mixed>, !kv) -> (tensor<?x8xf32>, !kv)
}

// -----

// weight: activations are no weights
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
llm.model @m attributes {context_length = 8 : i64, vocabulary = 8 : i64} {
  // expected-error@+1 {{type must be a static vector, matrix or list of matrices}}
  llm.weight @w : tensor<4x32x!llm.quant<a8>> from "w"
  func.func private @step(!llm.batch<mixed>, !kv) -> (tensor<?x8xf32>, !kv)
}

// -----

// weight: outside of a model
// expected-error@+1 {{'llm.weight' op expects parent op to be one of 'llm.model, llm.graph'}}
llm.weight @w : tensor<8xf32> from "w"

// -----

// get_weight C1: no such symbol
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
llm.model @m attributes {context_length = 8 : i64, vocabulary = 8 : i64} {
  llm.weight @w : tensor<8xf32> from "w"
  llm.weight @v : tensor<8xf32> from "v.{}" layers [0]
  func.func private @g()
  func.func @f(%i: index) {
    // expected-error@+1 {{C1: @u is no llm.weight}}
    %0 = llm.get_weight @u : tensor<8xf32>
    return
  }
  func.func private @step(!llm.batch<mixed>, !kv) -> (tensor<?x8xf32>, !kv)
}

// -----

// get_weight C1: a symbol of another kind
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
llm.model @m attributes {context_length = 8 : i64, vocabulary = 8 : i64} {
  llm.weight @w : tensor<8xf32> from "w"
  llm.weight @v : tensor<8xf32> from "v.{}" layers [0]
  func.func private @g()
  func.func @f(%i: index) {
    // expected-error@+1 {{C1: @g is no llm.weight}}
    %0 = llm.get_weight @g : tensor<8xf32>
    return
  }
  func.func private @step(!llm.batch<mixed>, !kv) -> (tensor<?x8xf32>, !kv)
}

// -----

// get_weight C2
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
llm.model @m attributes {context_length = 8 : i64, vocabulary = 8 : i64} {
  llm.weight @w : tensor<8xf32> from "w"
  llm.weight @v : tensor<8xf32> from "v.{}" layers [0]
  func.func private @g()
  func.func @f(%i: index) {
    // expected-error@+1 {{C2: @w has the type 'tensor<8xf32>'}}
    %0 = llm.get_weight @w : tensor<4xf32>
    return
  }
  func.func private @step(!llm.batch<mixed>, !kv) -> (tensor<?x8xf32>, !kv)
}

// -----

// get_weight C3: an index, but no layers
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
llm.model @m attributes {context_length = 8 : i64, vocabulary = 8 : i64} {
  llm.weight @w : tensor<8xf32> from "w"
  llm.weight @v : tensor<8xf32> from "v.{}" layers [0]
  func.func private @g()
  func.func @f(%i: index) {
    // expected-error@+1 {{C3: @w has no layers}}
    %0 = llm.get_weight @w[%i] : tensor<8xf32>
    return
  }
  func.func private @step(!llm.batch<mixed>, !kv) -> (tensor<?x8xf32>, !kv)
}

// -----

// get_weight C3: layers, but no index
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
llm.model @m attributes {context_length = 8 : i64, vocabulary = 8 : i64} {
  llm.weight @w : tensor<8xf32> from "w"
  llm.weight @v : tensor<8xf32> from "v.{}" layers [0]
  func.func private @g()
  func.func @f(%i: index) {
    // expected-error@+1 {{C3: @v needs a layer index}}
    %0 = llm.get_weight @v : tensor<8xf32>
    return
  }
  func.func private @step(!llm.batch<mixed>, !kv) -> (tensor<?x8xf32>, !kv)
}

// -----

// logit_rows C1
func.func @f(%x: tensor<?x8xf32>, %b: !llm.batch<mixed>) {
  // expected-error@+1 {{C1: x has 8 columns and the result 4}}
  %0 = llm.logit_rows %x, %b : (tensor<?x8xf32>, !llm.batch<mixed>) -> tensor<?x4xf32>
  return
}

// -----

// embed C1
func.func @f(%t: tensor<?xi32>, %w: tensor<9x8xf16>) {
  // expected-error@+1 {{C1: the table has 8 columns and the result 4}}
  %0 = llm.embed %t, %w : (tensor<?xi32>, tensor<9x8xf16>) -> tensor<?x4xf32>
  return
}

// -----

// rms_norm C1
func.func @f(%x: tensor<?x8xf32>, %w: tensor<3xf32>) {
  // expected-error@+1 {{C1: 8 columns are no multiple of the weight's 3}}
  %0 = llm.rms_norm %x, %w {eps = 1.0e-05 : f64} : tensor<?x8xf32>, tensor<3xf32>
  return
}

// -----

// rms_norm C2: eps = 0.0
func.func @f(%x: tensor<?x8xf32>, %w: tensor<8xf32>) {
  // expected-error@+1 {{C2: eps must be positive}}
  %0 = llm.rms_norm %x, %w {eps = 0.0 : f64} : tensor<?x8xf32>, tensor<8xf32>
  return
}

// -----

// rms_norm C2: eps = -1.0e-05
func.func @f(%x: tensor<?x8xf32>, %w: tensor<8xf32>) {
  // expected-error@+1 {{C2: eps must be positive}}
  %0 = llm.rms_norm %x, %w {eps = -1.0e-05 : f64} : tensor<?x8xf32>, tensor<8xf32>
  return
}

// -----

// rms_norm C2: eps = 0x7FF8000000000000
func.func @f(%x: tensor<?x8xf32>, %w: tensor<8xf32>) {
  // expected-error@+1 {{C2: eps must be positive}}
  %0 = llm.rms_norm %x, %w {eps = 0x7FF8000000000000 : f64} : tensor<?x8xf32>, tensor<8xf32>
  return
}

// -----

// layer_norm C1: weight
func.func @f(%x: tensor<?x8xf32>, %w: tensor<4xf32>) {
  // expected-error@+1 {{C1: weight or bias has 4 elements, the row 8}}
  %0 = llm.layer_norm %x, %w {eps = 1.0e-05 : f64} : tensor<?x8xf32>, tensor<4xf32>
  return
}

// -----

// layer_norm C1: bias
func.func @f(%x: tensor<?x8xf32>, %w: tensor<8xf32>, %b: tensor<4xf32>) {
  // expected-error@+1 {{C1: weight or bias has 4 elements, the row 8}}
  %0 = llm.layer_norm %x, %w bias %b {eps = 1.0e-05 : f64} : tensor<?x8xf32>, tensor<8xf32>, tensor<4xf32>
  return
}

// -----

// layer_norm C2
func.func @f(%x: tensor<?x8xf32>, %w: tensor<8xf32>) {
  // expected-error@+1 {{C2: eps must be positive}}
  %0 = llm.layer_norm %x, %w {eps = 0.0 : f64} : tensor<?x8xf32>, tensor<8xf32>
  return
}

// -----

// linear C1
func.func @f(%x: tensor<?x8xf32>, %w: tensor<3x4xf32>) {
  // expected-error@+1 {{C1: x has 8 columns and the weight 4}}
  %0 = llm.linear %x, %w : (tensor<?x8xf32>, tensor<3x4xf32>) -> tensor<?x3xf32>
  return
}

// -----

// linear C2
func.func @f(%x: tensor<?x8xf32>, %w: tensor<3x8xf32>) {
  // expected-error@+1 {{C2: the result has 8 columns and the weight 3 rows}}
  %0 = llm.linear %x, %w : (tensor<?x8xf32>, tensor<3x8xf32>) -> tensor<?x8xf32>
  return
}

// -----

// linear C3
func.func @f(%x: tensor<?x8xf32>, %w: tensor<3x8xf32>, %b: tensor<8xf32>) {
  // expected-error@+1 {{C3: the bias has 8 elements and the weight 3 rows}}
  %0 = llm.linear %x, %w bias %b : (tensor<?x8xf32>, tensor<3x8xf32>, tensor<8xf32>) -> tensor<?x3xf32>
  return
}

// -----

// linear C4
func.func @f(%x: tensor<?x32x!llm.quant<a8>>, %w: tensor<3x32xf32>) {
  // expected-error@+1 {{C4: quantised activations need a quantised weight}}
  %0 = llm.linear %x, %w : (tensor<?x32x!llm.quant<a8>>, tensor<3x32xf32>) -> tensor<?x3xf32>
  return
}

// -----

// quantize C1: other columns
func.func @f(%x: tensor<?x32xf32>) {
  // expected-error@+1 {{C1: x and the result need the same columns, a multiple of 32; they have 32 and 64}}
  %0 = llm.quantize %x : (tensor<?x32xf32>) -> tensor<?x64x!llm.quant<a8>>
  return
}

// -----

// quantize C1: no multiple of 32
func.func @f(%x: tensor<?x40xf32>) {
  // expected-error@+1 {{C1: x and the result need the same columns, a multiple of 32; they have 40 and 40}}
  %0 = llm.quantize %x : (tensor<?x40xf32>) -> tensor<?x40x!llm.quant<a16>>
  return
}

// -----

// rope C1
func.func @f(%x: tensor<?x8xf32>, %p: tensor<?xi32>) {
  // expected-error@+1 {{C1: 8 columns are no multiple of head_dim 3}}
  %0 = llm.rope %x, %p {head_dim = 3 : i64, rope = #llm.rope<style = half, dim = 2, theta = 1.0e+04 : f64, magnitude = 1.0 : f64, factors = []>} : tensor<?x8xf32>, tensor<?xi32>
  return
}

// -----

// rope C1: no head
func.func @f(%x: tensor<?x8xf32>, %p: tensor<?xi32>) {
  // expected-error@+1 {{C1: 8 columns are no multiple of head_dim 0}}
  %0 = llm.rope %x, %p {head_dim = 0 : i64, rope = #llm.rope<style = half, dim = 2, theta = 1.0e+04 : f64, magnitude = 1.0 : f64, factors = []>} : tensor<?x8xf32>, tensor<?xi32>
  return
}

// -----

// rope C2
func.func @f(%x: tensor<?x8xf32>, %p: tensor<?xi32>) {
  // expected-error@+1 {{C2: rope.dim 6 is larger than head_dim 4}}
  %0 = llm.rope %x, %p {head_dim = 4 : i64, rope = #llm.rope<style = half, dim = 6, theta = 1.0e+04 : f64, magnitude = 1.0 : f64, factors = []>} : tensor<?x8xf32>, tensor<?xi32>
  return
}

// -----

// rope C3: nothing to rotate by
func.func @f(%x: tensor<?x8xf32>, %p: tensor<?xi32>) {
  // expected-error@+1 {{C3: needs either rope, or ropes and a layer index}}
  %0 = llm.rope %x, %p {head_dim = 4 : i64} : tensor<?x8xf32>, tensor<?xi32>
  return
}

// -----

// rope C3: a table without a layer
func.func @f(%x: tensor<?x8xf32>, %p: tensor<?xi32>) {
  // expected-error@+1 {{C3: needs either rope, or ropes and a layer index}}
  %0 = llm.rope %x, %p {head_dim = 4 : i64, ropes = [#llm.rope<style = half, dim = 2, theta = 1.0e+04 : f64, magnitude = 1.0 : f64, factors = []>]} : tensor<?x8xf32>, tensor<?xi32>
  return
}

// -----

// rope C4: an empty table
func.func @f(%x: tensor<?x8xf32>, %p: tensor<?xi32>, %l: index) {
  // expected-error@+1 {{C4: ropes is empty}}
  %0 = llm.rope %x, %p[%l] {head_dim = 4 : i64, ropes = []} : tensor<?x8xf32>, tensor<?xi32>
  return
}

// -----

// rope C4: rotations of different shape
func.func @f(%x: tensor<?x8xf32>, %p: tensor<?xi32>, %l: index) {
  // expected-error@+1 {{C4: ropes must be of one style and dim}}
  %0 = llm.rope %x, %p[%l] {head_dim = 4 : i64, ropes = [#llm.rope<style = half, dim = 2, theta = 1.0e+04 : f64, magnitude = 1.0 : f64, factors = []>, #llm.rope<style = half, dim = 4, theta = 1.0e+04 : f64, magnitude = 1.0 : f64, factors = []>]} : tensor<?x8xf32>, tensor<?xi32>
  return
}

// -----

// rope C4: not an entry for each layer
!kv = !llm.kv<layers = 3, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
llm.model @m attributes {context_length = 8 : i64, vocabulary = 4 : i64} {
  llm.weight @table : tensor<4x4xf32> from "table"
  func.func @step(%batch: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x4xf32>, !kv) {
    %l = arith.constant 0 : index
    %w = llm.get_weight @table : tensor<4x4xf32>
    %t = llm.batch.tokens %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    %p = llm.batch.positions %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    %x = llm.embed %t, %w : (tensor<?xi32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    // expected-error@+1 {{C4: ropes has 2 entries, the model 3 layers}}
    %r = llm.rope %x, %p[%l] {head_dim = 4 : i64, ropes = [#llm.rope<style = half, dim = 2, theta = 1.0e+04 : f64, magnitude = 1.0 : f64, factors = []>, #llm.rope<style = half, dim = 2, theta = 1.0e+04 : f64, magnitude = 1.0 : f64, factors = []>]} : tensor<?x4xf32>, tensor<?xi32>
    return %r, %kv : tensor<?x4xf32>, !kv
  }
}

// -----

// softcap C1
func.func @f(%x: tensor<?x8xf32>) {
  // expected-error@+1 {{C1: cap must be positive}}
  %0 = llm.softcap %x at 0.0 : tensor<?x8xf32>
  return
}

// -----

// kv_append C1
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
func.func @f(%kv: !kv, %l: index, %b: !llm.batch<mixed>, %k: tensor<?x16xf32>, %v: tensor<?x16xf32>) {
  // expected-error@+1 {{C1: k has 16 columns, the cache 8}}
  %0 = llm.kv_append %kv[%l], %k, %v, %b : !kv, tensor<?x16xf32>, tensor<?x16xf32>, !llm.batch<mixed>
  return
}

// -----

// kv_append C2
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
func.func @f(%kv: !kv, %l: index, %b: !llm.batch<mixed>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>) {
  // expected-error@+1 {{C2: v has 8 columns, the cache 16}}
  %0 = llm.kv_append %kv[%l], %k, %v, %b : !kv, tensor<?x8xf32>, tensor<?x8xf32>, !llm.batch<mixed>
  return
}

// -----

// attention C1
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
func.func @f(%kv: !kv, %l: index, %b: !llm.batch<mixed>, %q: tensor<?x12xf32>) {
  // expected-error@+1 {{C1: q has 12 columns, no multiple of heads * k_dim = 8}}
  %0 = llm.attention %q, %kv[%l], %b {scale = 1.0 : f64} : (tensor<?x12xf32>, !kv, !llm.batch<mixed>) -> tensor<?x24xf32>
  return
}

// -----

// attention C2
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
func.func @f(%kv: !kv, %l: index, %b: !llm.batch<mixed>, %q: tensor<?x16xf32>) {
  // expected-error@+1 {{C2: the result has 16 columns, expected 32}}
  %0 = llm.attention %q, %kv[%l], %b {scale = 1.0 : f64} : (tensor<?x16xf32>, !kv, !llm.batch<mixed>) -> tensor<?x16xf32>
  return
}

// -----

// attention C3: scale = 0.0
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
func.func @f(%kv: !kv, %l: index, %b: !llm.batch<mixed>, %q: tensor<?x8xf32>) {
  // expected-error@+1 {{C3: scale must be positive and finite}}
  %0 = llm.attention %q, %kv[%l], %b {scale = 0.0 : f64} : (tensor<?x8xf32>, !kv, !llm.batch<mixed>) -> tensor<?x16xf32>
  return
}

// -----

// attention C3: scale = -1.0
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
func.func @f(%kv: !kv, %l: index, %b: !llm.batch<mixed>, %q: tensor<?x8xf32>) {
  // expected-error@+1 {{C3: scale must be positive and finite}}
  %0 = llm.attention %q, %kv[%l], %b {scale = -1.0 : f64} : (tensor<?x8xf32>, !kv, !llm.batch<mixed>) -> tensor<?x16xf32>
  return
}

// -----

// attention C3: scale = 0x7FF0000000000000
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
func.func @f(%kv: !kv, %l: index, %b: !llm.batch<mixed>, %q: tensor<?x8xf32>) {
  // expected-error@+1 {{C3: scale must be positive and finite}}
  %0 = llm.attention %q, %kv[%l], %b {scale = 0x7FF0000000000000 : f64} : (tensor<?x8xf32>, !kv, !llm.batch<mixed>) -> tensor<?x16xf32>
  return
}

// -----

// attention C4: window
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
func.func @f(%kv: !kv, %l: index, %b: !llm.batch<mixed>, %q: tensor<?x8xf32>) {
  // expected-error@+1 {{C4: window and softcap must be positive}}
  %0 = llm.attention %q, %kv[%l], %b {scale = 1.0 : f64, window = 0 : i64} : (tensor<?x8xf32>, !kv, !llm.batch<mixed>) -> tensor<?x16xf32>
  return
}

// -----

// attention C4: softcap
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
func.func @f(%kv: !kv, %l: index, %b: !llm.batch<mixed>, %q: tensor<?x8xf32>) {
  // expected-error@+1 {{C4: window and softcap must be positive}}
  %0 = llm.attention %q, %kv[%l], %b {scale = 1.0 : f64, softcap = -1.0 : f64} : (tensor<?x8xf32>, !kv, !llm.batch<mixed>) -> tensor<?x16xf32>
  return
}

// -----

// attention C5: a window and a table of them
!kv = !llm.kv<layers = 1, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
func.func @f(%kv: !kv, %l: index, %b: !llm.batch<mixed>, %q: tensor<?x8xf32>) {
  // expected-error@+1 {{C5: has both window and windows}}
  %0 = llm.attention %q, %kv[%l], %b {scale = 1.0 : f64, window = 3 : i64, windows = array<i64: 3>} : (tensor<?x8xf32>, !kv, !llm.batch<mixed>) -> tensor<?x16xf32>
  return
}

// -----

// attention C5: entries
!kv = !llm.kv<layers = 3, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
func.func @f(%kv: !kv, %l: index, %b: !llm.batch<mixed>, %q: tensor<?x8xf32>) {
  // expected-error@+1 {{C5: windows has 2 entries, the cache 3 layers}}
  %0 = llm.attention %q, %kv[%l], %b {scale = 1.0 : f64, windows = array<i64: 3, 0>} : (tensor<?x8xf32>, !kv, !llm.batch<mixed>) -> tensor<?x16xf32>
  return
}

// -----

// attention C5: a negative window
!kv = !llm.kv<layers = 2, heads = 2, k_dim = 4, v_dim = 8, block = 16, element = f32>
func.func @f(%kv: !kv, %l: index, %b: !llm.batch<mixed>, %q: tensor<?x8xf32>) {
  // expected-error@+1 {{C5: windows must not be negative}}
  %0 = llm.attention %q, %kv[%l], %b {scale = 1.0 : f64, windows = array<i64: 3, -1>} : (tensor<?x8xf32>, !kv, !llm.batch<mixed>) -> tensor<?x16xf32>
  return
}

// -----

// fuse C1 (only the generic form can say it)
func.func @f(%x: tensor<?x8xf32>) {
  // expected-error@+1 {{C1: block arguments and operands differ in number or type}}
  "llm.fuse"(%x) <{partition = #llm<partition tokens>}> ({
    llm.yield
  }) : (tensor<?x8xf32>) -> ()
  return
}

// -----

// fuse C2
func.func @f(%x: tensor<?x8xf32>) {
  // expected-error@+1 {{C2: the yielded types are not the results'}}
  %0 = llm.fuse tokens (%a = %x) : (tensor<?x8xf32>) -> tensor<?x4xf32> {
    llm.yield %a : tensor<?x8xf32>
  }
  return
}

// -----

// fuse: no such partition
func.func @f(%x: tensor<?x8xf32>) {
  // expected-error@+1 {{expected tokens, features or heads}}
  llm.fuse rows (%a = %x) : (tensor<?x8xf32>) -> () {
  }
  return
}

// -----

// fuse: more operands than types
func.func @f(%x: tensor<?x8xf32>) {
  // expected-error@+1 {{expected as many operand types as operands}}
  llm.fuse tokens (%a = %x, %b = %x) : (tensor<?x8xf32>) -> () {
  }
  return
}

// -----

// fuse: values from outside come in as operands only
func.func @f(%x: tensor<?x8xf32>) {
  // expected-note@+1 {{required by region isolation constraints}}
  %0 = llm.fuse tokens () : () -> tensor<?x8xf32> {
    // expected-error@+1 {{using value defined outside the region}}
    llm.yield %x : tensor<?x8xf32>
  }
  return
}

// -----

// yield: outside of a phase
func.func @f() {
  // expected-error@+1 {{'llm.yield' op expects parent op 'llm.fuse'}}
  llm.yield
}

// -----

// quant: no such format
// expected-error@+1 {{unknown block format 'q4_9'}}
func.func private @f(!llm.quant<q4_9>)

// -----

// quant: builtin types are no block formats
// expected-error@+1 {{'f16' is no block format that can be computed with}}
func.func private @f(!llm.quant<f16>)

// -----

// quant: a format that is only listed
// expected-error@+1 {{'iq1_s' is no block format that can be computed with}}
func.func private @f(!llm.quant<iq1_s>)

// -----

// batch: no such kind
// expected-error@+1 {{expected decode, prefill or mixed}}
func.func private @f(!llm.batch<verify>)

// -----

// kv: layers = 0
// expected-error@+1 {{layers, heads, k_dim and v_dim must be positive}}
func.func private @f(!llm.kv<layers = 0, heads = 1, k_dim = 4, v_dim = 4, block = 16, element = f16>)

// -----

// kv: heads = 0
// expected-error@+1 {{layers, heads, k_dim and v_dim must be positive}}
func.func private @f(!llm.kv<layers = 1, heads = 0, k_dim = 4, v_dim = 4, block = 16, element = f16>)

// -----

// kv: k_dim = 0
// expected-error@+1 {{layers, heads, k_dim and v_dim must be positive}}
func.func private @f(!llm.kv<layers = 1, heads = 1, k_dim = 0, v_dim = 4, block = 16, element = f16>)

// -----

// kv: v_dim = 0
// expected-error@+1 {{layers, heads, k_dim and v_dim must be positive}}
func.func private @f(!llm.kv<layers = 1, heads = 1, k_dim = 4, v_dim = 0, block = 16, element = f16>)

// -----

// kv: block = 4
// expected-error@+1 {{block must be a power of two from 8 to 1024}}
func.func private @f(!llm.kv<layers = 1, heads = 1, k_dim = 4, v_dim = 4, block = 4, element = f16>)

// -----

// kv: block = 24
// expected-error@+1 {{block must be a power of two from 8 to 1024}}
func.func private @f(!llm.kv<layers = 1, heads = 1, k_dim = 4, v_dim = 4, block = 24, element = f16>)

// -----

// kv: block = 2048
// expected-error@+1 {{block must be a power of two from 8 to 1024}}
func.func private @f(!llm.kv<layers = 1, heads = 1, k_dim = 4, v_dim = 4, block = 2048, element = f16>)

// -----

// kv: element
// expected-error@+1 {{element must be f16 or f32}}
func.func private @f(!llm.kv<layers = 1, heads = 1, k_dim = 4, v_dim = 4, block = 16, element = bf16>)

// -----

// rope: an odd dim
// expected-error@+1 {{dim must be even and positive}}
func.func private @f() attributes {llm.rotation = #llm.rope<style = half, dim = 3, theta = 1.0e+04 : f64, magnitude = 1.0 : f64, factors = []>}

// -----

// rope: no dim
// expected-error@+1 {{dim must be even and positive}}
func.func private @f() attributes {llm.rotation = #llm.rope<style = half, dim = 0, theta = 1.0e+04 : f64, magnitude = 1.0 : f64, factors = []>}

// -----

// rope: theta
// expected-error@+1 {{theta and magnitude must be positive and finite}}
func.func private @f() attributes {llm.rotation = #llm.rope<style = half, dim = 4, theta = 0.0 : f64, magnitude = 1.0 : f64, factors = []>}

// -----

// rope: magnitude
// expected-error@+1 {{theta and magnitude must be positive and finite}}
func.func private @f() attributes {llm.rotation = #llm.rope<style = half, dim = 4, theta = 1.0e+04 : f64, magnitude = 0x7FF0000000000000 : f64, factors = []>}

// -----

// rope: number of factors
// expected-error@+1 {{factors must be empty or have dim / 2 entries}}
func.func private @f() attributes {llm.rotation = #llm.rope<style = half, dim = 4, theta = 1.0e+04 : f64, magnitude = 1.0 : f64, factors = [1.0]>}

// -----

// rope: a factor of zero
// expected-error@+1 {{factors must be positive and finite}}
func.func private @f() attributes {llm.rotation = #llm.rope<style = half, dim = 4, theta = 1.0e+04 : f64, magnitude = 1.0 : f64, factors = [1.0, 0.0]>}

// -----

// activations have one dynamic dimension, the tokens
func.func @f(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{operand #0 must be activations tensor<?xDxf32>}}
  %0 = llm.scale %x by 2.0 : tensor<4x8xf32>
  return
}

// -----

// weights are static
func.func @f(%x: tensor<?x8xf32>, %w: tensor<?x8xf32>) {
  // expected-error@+1 {{operand #1 must be weight matrix tensor<NxKxF>}}
  %0 = llm.linear %x, %w : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x3xf32>
  return
}
