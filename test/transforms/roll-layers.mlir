// RUN: llmir-opt %s --split-input-file --pass-pipeline='builtin.module(llm.graph(llm-roll-layers))' -verify-diagnostics=only-expected | FileCheck %s
// RUN: llmir-opt %s --split-input-file --pass-pipeline='builtin.module(llm.model(llm-roll-layers))' 2> /dev/null | FileCheck %s --check-prefix=MODEL

!batch = !llm.batch<mixed>
!x = tensor<?x8xf32>

// Two layers, each a piece with attention and one with a product, and a head. Of the two numbers in the names of the products
// one is the layer's; the norm is the same tensor in both layers; the last product is no layer's.
// CHECK-LABEL: llm.graph @two
// CHECK-NOT: @"layers
// CHECK: llm.weight @norm
// CHECK: llm.weight @[[Q:.*]] : tensor<8x8xf32> from "layers.{}.attn.1.q.weight" layers [0, 1]
// CHECK: llm.weight @[[UP:.*]] : tensor<8x8xf32> from "layers.{}.mlp.0.weight" layers [0, 1]
// CHECK: func.func private @layer(%[[N:.*]]: index, %[[X:.*]]: tensor<?x8xf32>, %[[B:.*]]: !llm.batch<mixed>) -> tensor<?x8xf32>
// CHECK-NEXT: llm.batch.positions %[[B]]
// CHECK-NEXT: llm.get_weight @norm : tensor<8xf32>
// CHECK: llm.get_weight @[[Q]][%[[N]]]
// CHECK: llm.rope %{{.*}}, %{{.*}}[%[[N]]] {{.*}}ropes = [{{.*}}theta = 1.0{{.*}}theta = 2.0
// CHECK: llm.dense_attention
// CHECK: llm.get_weight @[[UP]][%[[N]]]
// CHECK-LABEL: func.func @forward
// CHECK: llm.scale
// CHECK-NEXT: %[[ZERO:.*]] = arith.constant 0 : index
// CHECK-NEXT: %[[Y:.*]] = call @layer(%[[ZERO]], %{{.*}}, %{{.*}})
// CHECK: %[[ONE:.*]] = arith.constant 1 : index
// CHECK: %[[Z:.*]] = call @layer(%[[ONE]], %[[Y]], %{{.*}})
// CHECK: %[[R:.*]] = llm.linear %[[Z]]
// CHECK-NEXT: return %[[R]]
llm.graph @two {
  llm.weight @norm : tensor<8xf32> from "norm"
  llm.weight @q0 : tensor<8x8xf32> from "layers.0.attn.1.q.weight"
  llm.weight @q1 : tensor<8x8xf32> from "layers.1.attn.1.q.weight"
  llm.weight @"layers.0.mlp.0.weight" : tensor<8x8xf32> from "layers.0.mlp.0.weight"
  llm.weight @"layers.1.mlp.0.weight" : tensor<8x8xf32> from "layers.1.mlp.0.weight"
  llm.weight @head : tensor<8x8xf32> from "head"
  func.func @forward(%batch: !batch, %x: !x) -> !x {
    %positions = llm.batch.positions %batch : (!batch) -> tensor<?xi32>
    %norm = llm.get_weight @norm : tensor<8xf32>
    %q0 = llm.get_weight @q0 : tensor<8x8xf32>
    %q1 = llm.get_weight @q1 : tensor<8x8xf32>
    %up0 = llm.get_weight @"layers.0.mlp.0.weight" : tensor<8x8xf32>
    %up1 = llm.get_weight @"layers.1.mlp.0.weight" : tensor<8x8xf32>
    %head = llm.get_weight @head : tensor<8x8xf32>
    %0 = llm.scale %x by 2.0 : !x
    %1 = llm.rms_norm %0, %norm {eps = 1.0e-5 : f64} : !x, tensor<8xf32>
    %2 = llm.linear %1, %q0 : (!x, tensor<8x8xf32>) -> !x
    %3 = llm.rope %2, %positions {head_dim = 8 : i64, rope = #llm.rope<style = half, dim = 8, theta = 1.0 : f64, magnitude = 1.0 : f64, factors = []>} : !x, tensor<?xi32>
    %4 = llm.dense_attention %3, %1, %1, %batch {heads = 1 : i64, scale = 1.0 : f64} : (!x, !x, !x, !batch) -> !x
    %5 = arith.addf %0, %4 : !x
    %6 = llm.linear %5, %up0 : (!x, tensor<8x8xf32>) -> !x
    %7 = arith.addf %5, %6 : !x
    %11 = llm.rms_norm %7, %norm {eps = 1.0e-5 : f64} : !x, tensor<8xf32>
    %12 = llm.linear %11, %q1 : (!x, tensor<8x8xf32>) -> !x
    %13 = llm.rope %12, %positions {head_dim = 8 : i64, rope = #llm.rope<style = half, dim = 8, theta = 2.0 : f64, magnitude = 1.0 : f64, factors = []>} : !x, tensor<?xi32>
    %14 = llm.dense_attention %13, %11, %11, %batch {heads = 1 : i64, scale = 1.0 : f64} : (!x, !x, !x, !batch) -> !x
    %15 = arith.addf %7, %14 : !x
    %16 = llm.linear %15, %up1 : (!x, tensor<8x8xf32>) -> !x
    %17 = arith.addf %15, %16 : !x
    %20 = llm.linear %17, %head : (!x, tensor<8x8xf32>) -> !x
    return %20 : !x
  }
}

// -----

// Nothing repeats: one attention.
// CHECK-LABEL: llm.graph @one
// CHECK-NOT: private
llm.graph @one {
  func.func @forward(%batch: !llm.batch<mixed>, %x: tensor<?x8xf32>) -> tensor<?x8xf32> {
    %0 = llm.dense_attention %x, %x, %x, %batch {heads = 1 : i64, scale = 1.0 : f64} : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, !llm.batch<mixed>) -> tensor<?x8xf32>
    return %0 : tensor<?x8xf32>
  }
}

// -----

// The first tensor is needed until the end: no cut.
// CHECK-LABEL: llm.graph @joined
// CHECK-NOT: private
llm.graph @joined {
  // expected-remark@+1 {{layers are not rolled: between the 2 attentions there is no point}}
  func.func @forward(%batch: !llm.batch<mixed>, %x: tensor<?x8xf32>) -> tensor<?x8xf32> {
    %0 = llm.dense_attention %x, %x, %x, %batch {heads = 1 : i64, scale = 1.0 : f64} : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, !llm.batch<mixed>) -> tensor<?x8xf32>
    %1 = llm.dense_attention %0, %0, %0, %batch {heads = 1 : i64, scale = 1.0 : f64} : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, !llm.batch<mixed>) -> tensor<?x8xf32>
    %2 = arith.addf %x, %1 : tensor<?x8xf32>
    return %2 : tensor<?x8xf32>
  }
}

// -----

// Layers that are not alike.
// CHECK-LABEL: llm.graph @different
// CHECK-NOT: private
llm.graph @different {
  func.func @forward(%batch: !llm.batch<mixed>, %x: tensor<?x8xf32>) -> tensor<?x8xf32> {
    %0 = llm.dense_attention %x, %x, %x, %batch {heads = 1 : i64, scale = 1.0 : f64} : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, !llm.batch<mixed>) -> tensor<?x8xf32>
    // expected-remark@+1 {{the last layer is not rolled: it is like none before}}
    %1 = llm.dense_attention %0, %0, %0, %batch {heads = 2 : i64, scale = 1.0 : f64} : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, !llm.batch<mixed>) -> tensor<?x8xf32>
    return %1 : tensor<?x8xf32>
  }
}

// -----

// Alike, but no number in the names is the layer's.
// CHECK-LABEL: llm.graph @names
// CHECK-NOT: private
llm.graph @names {
  llm.weight @a : tensor<8x8xf32> from "a.1"
  llm.weight @b : tensor<8x8xf32> from "b.2"
  func.func @forward(%batch: !llm.batch<mixed>, %x: tensor<?x8xf32>) -> tensor<?x8xf32> {
    %a = llm.get_weight @a : tensor<8x8xf32>
    %b = llm.get_weight @b : tensor<8x8xf32>
    // expected-remark@+1 {{layer 0 is not rolled: its weights 'a.1' and 'b.2' do not differ by the number of the layer alone}}
    %q0 = llm.linear %x, %a : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
    %0 = llm.dense_attention %q0, %x, %x, %batch {heads = 1 : i64, scale = 1.0 : f64} : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, !llm.batch<mixed>) -> tensor<?x8xf32>
    %q1 = llm.linear %0, %b : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
    %1 = llm.dense_attention %q1, %0, %0, %batch {heads = 1 : i64, scale = 1.0 : f64} : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, !llm.batch<mixed>) -> tensor<?x8xf32>
    return %1 : tensor<?x8xf32>
  }
}

// -----

!kv = !llm.kv<layers = 3, heads = 1, k_dim = 8, v_dim = 8, block = 8, element = f16>
!batch = !llm.batch<mixed>
!x = tensor<?x8xf32>

// With a cache: its layers give the numbers, windows become a table, a layer of weights of another type is a function of its own.
// MODEL-LABEL: llm.model @cache
// MODEL: llm.weight @q.f32 : tensor<8x8xf32> from "blk.{}.q.weight" layers [0, 2]
// MODEL: llm.weight @q.f16 : tensor<8x8xf16> from "blk.{}.q.weight" layers [1]
// MODEL: func.func private @layer.0
// MODEL: llm.attention {{.*}}windows = array<i64: 4, 0, 0>
// MODEL: return
// MODEL: func.func private @layer.1
// MODEL: llm.attention
// MODEL-NOT: window
// MODEL: func.func @step
// MODEL: call @layer.0(%c0
// MODEL: call @layer.1(%c1
// MODEL: call @layer.0(%c2
llm.model @cache attributes {vocabulary = 8 : i64, context_length = 8 : i64} {
  llm.weight @table : tensor<8x8xf32> from "table"
  llm.weight @q0 : tensor<8x8xf32> from "blk.0.q.weight"
  llm.weight @q1 : tensor<8x8xf16> from "blk.1.q.weight"
  llm.weight @q2 : tensor<8x8xf32> from "blk.2.q.weight"
  func.func @step(%batch: !batch, %kv: !kv) -> (!x, !kv) {
    %tokens = llm.batch.tokens %batch : (!batch) -> tensor<?xi32>
    %table = llm.get_weight @table : tensor<8x8xf32>
    %w0 = llm.get_weight @q0 : tensor<8x8xf32>
    %w1 = llm.get_weight @q1 : tensor<8x8xf16>
    %w2 = llm.get_weight @q2 : tensor<8x8xf32>
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %x = llm.embed %tokens, %table : (tensor<?xi32>, tensor<8x8xf32>) -> !x
    %q0 = llm.linear %x, %w0 : (!x, tensor<8x8xf32>) -> !x
    %kv0 = llm.kv_append %kv[%c0], %x, %x, %batch : !kv, !x, !x, !batch
    %0 = llm.attention %q0, %kv0[%c0], %batch {scale = 1.0 : f64, window = 4 : i64} : (!x, !kv, !batch) -> !x
    %r0 = arith.addf %x, %0 : !x
    %q1 = llm.linear %r0, %w1 : (!x, tensor<8x8xf16>) -> !x
    %kv1 = llm.kv_append %kv0[%c1], %r0, %r0, %batch : !kv, !x, !x, !batch
    %1 = llm.attention %q1, %kv1[%c1], %batch {scale = 1.0 : f64} : (!x, !kv, !batch) -> !x
    %r1 = arith.addf %r0, %1 : !x
    %q2 = llm.linear %r1, %w2 : (!x, tensor<8x8xf32>) -> !x
    %kv2 = llm.kv_append %kv1[%c2], %r1, %r1, %batch : !kv, !x, !x, !batch
    %2 = llm.attention %q2, %kv2[%c2], %batch {scale = 1.0 : f64} : (!x, !kv, !batch) -> !x
    %r2 = arith.addf %r1, %2 : !x
    %rows = llm.logit_rows %r2, %batch : (!x, !batch) -> !x
    return %rows, %kv2 : !x, !kv
  }
}
