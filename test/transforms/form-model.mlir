// RUN: llmir-opt %s --split-input-file --llm-form-model=context-length=77 -verify-diagnostics | FileCheck %s

!kv = !llm.kv<layers = 1, heads = 1, k_dim = 8, v_dim = 8, block = 8, element = f16>
!batch = !llm.batch<mixed>
!x = tensor<?x8xf32>

// The head, a norm, a product and a scale, is for the rows of the logits alone; the source stays.
// CHECK-LABEL: llm.model @model attributes {context_length = 77 : i64, source = "m.pt2", vocabulary = 16 : i64}
// CHECK: func.func @step(%[[B:.*]]: !llm.batch<mixed>, %{{.*}}: !llm.kv
// CHECK: %[[Y:.*]] = arith.addf
// CHECK-NEXT: %[[R:.*]] = llm.logit_rows %[[Y]], %[[B]]
// CHECK-NEXT: llm.rms_norm %[[R]]
// CHECK-NEXT: llm.linear
// CHECK-NEXT: llm.scale
// CHECK-NEXT: return
llm.graph @forward_graph attributes {source = "m.pt2"} {
  llm.weight @table : tensor<16x8xf32> from "table"
  llm.weight @norm : tensor<8xf32> from "norm"
  func.func @forward(%batch: !batch, %kv: !kv) -> (tensor<?x16xf32>, !kv) {
    %tokens = llm.batch.tokens %batch : (!batch) -> tensor<?xi32>
    %table = llm.get_weight @table : tensor<16x8xf32>
    %norm = llm.get_weight @norm : tensor<8xf32>
    %c0 = arith.constant 0 : index
    %x = llm.embed %tokens, %table : (tensor<?xi32>, tensor<16x8xf32>) -> !x
    %kv0 = llm.kv_append %kv[%c0], %x, %x, %batch : !kv, !x, !x, !batch
    %0 = llm.attention %x, %kv0[%c0], %batch {scale = 1.0 : f64} : (!x, !kv, !batch) -> !x
    %1 = arith.addf %x, %0 : !x
    %2 = llm.rms_norm %1, %norm {eps = 1.0e-5 : f64} : !x, tensor<8xf32>
    %3 = llm.linear %2, %table : (!x, tensor<16x8xf32>) -> tensor<?x16xf32>
    %4 = llm.scale %3 by 2.0 : tensor<?x16xf32>
    return %4, %kv0 : tensor<?x16xf32>, !kv
  }
}

// -----

!kv = !llm.kv<layers = 2, heads = 1, k_dim = 8, v_dim = 8, block = 8, element = f16>
!batch = !llm.batch<mixed>
!x = tensor<?x8xf32>

// With a norm at each layer's end, as in the first transformers, the last one's is no part of the head: layers stay alike. The
// graph knows its context length.
// CHECK-LABEL: llm.model @model attributes {context_length = 99 : i64
// CHECK: llm.rms_norm
// CHECK: %[[Y:.*]] = llm.rms_norm
// CHECK-NEXT: %[[R:.*]] = llm.logit_rows %[[Y]]
// CHECK-NEXT: llm.linear %[[R]]
llm.graph @post_norm attributes {context_length = 99 : i64} {
  llm.weight @table : tensor<16x8xf32> from "table"
  llm.weight @norm : tensor<8xf32> from "norm"
  func.func @forward(%batch: !batch, %kv: !kv) -> (tensor<?x16xf32>, !kv) {
    %tokens = llm.batch.tokens %batch : (!batch) -> tensor<?xi32>
    %table = llm.get_weight @table : tensor<16x8xf32>
    %norm = llm.get_weight @norm : tensor<8xf32>
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %x = llm.embed %tokens, %table : (tensor<?xi32>, tensor<16x8xf32>) -> !x
    %kv0 = llm.kv_append %kv[%c0], %x, %x, %batch : !kv, !x, !x, !batch
    %0 = llm.attention %x, %kv0[%c0], %batch {scale = 1.0 : f64} : (!x, !kv, !batch) -> !x
    %1 = arith.addf %x, %0 : !x
    %2 = llm.rms_norm %1, %norm {eps = 1.0e-5 : f64} : !x, tensor<8xf32>
    %kv1 = llm.kv_append %kv0[%c1], %2, %2, %batch : !kv, !x, !x, !batch
    %3 = llm.attention %2, %kv1[%c1], %batch {scale = 1.0 : f64} : (!x, !kv, !batch) -> !x
    %4 = arith.addf %2, %3 : !x
    %5 = llm.rms_norm %4, %norm {eps = 1.0e-5 : f64} : !x, tensor<8xf32>
    %6 = llm.linear %5, %table : (!x, tensor<16x8xf32>) -> tensor<?x16xf32>
    return %6, %kv1 : tensor<?x16xf32>, !kv
  }
}

// -----

// CHECK-LABEL: llm.graph @block
// expected-remark@+1 {{stays an llm.graph: @forward does not take a batch and a cache alone}}
llm.graph @block {
  func.func @forward(%batch: !llm.batch<mixed>, %x: tensor<?x8xf32>) -> tensor<?x8xf32> {
    return %x : tensor<?x8xf32>
  }
}

// -----

!kv = !llm.kv<layers = 2, heads = 1, k_dim = 8, v_dim = 8, block = 8, element = f16>

// CHECK-LABEL: llm.graph @results
// expected-remark@+1 {{stays an llm.graph: @forward does not give logits and the cache alone}}
llm.graph @results {
  func.func @forward(%batch: !llm.batch<mixed>, %kv: !kv) -> !kv {
    return %kv : !kv
  }
}

// -----

!kv = !llm.kv<layers = 2, heads = 1, k_dim = 8, v_dim = 8, block = 8, element = f16>

// CHECK-LABEL: llm.graph @no_tokens
// expected-remark@+1 {{stays an llm.graph: nothing looks up the tokens' embeddings}}
llm.graph @no_tokens {
  func.func @forward(%batch: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x8xf32>, !kv) {
    %n = arith.constant 1 : index
    %x = tensor.empty(%n) : tensor<?x8xf32>
    return %x, %kv : tensor<?x8xf32>, !kv
  }
}

// -----

!kv = !llm.kv<layers = 2, heads = 1, k_dim = 8, v_dim = 8, block = 8, element = f16>

// expected-error@+1 {{llm-form-model: context_length must be a positive number}}
llm.graph @length attributes {context_length = "many"} {
  llm.weight @table : tensor<16x8xf32> from "table"
  func.func @forward(%batch: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x8xf32>, !kv) {
    %tokens = llm.batch.tokens %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    %table = llm.get_weight @table : tensor<16x8xf32>
    %x = llm.embed %tokens, %table : (tensor<?xi32>, tensor<16x8xf32>) -> tensor<?x8xf32>
    return %x, %kv : tensor<?x8xf32>, !kv
  }
}

// -----

!kv = !llm.kv<layers = 2, heads = 1, k_dim = 8, v_dim = 8, block = 8, element = f16>

// expected-error@+1 {{llm-form-model: there is a symbol @step already}}
llm.graph @taken {
  llm.weight @step : tensor<16x8xf32> from "table"
  func.func @forward(%batch: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x8xf32>, !kv) {
    %tokens = llm.batch.tokens %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    %table = llm.get_weight @step : tensor<16x8xf32>
    %x = llm.embed %tokens, %table : (tensor<?xi32>, tensor<16x8xf32>) -> tensor<?x8xf32>
    return %x, %kv : tensor<?x8xf32>, !kv
  }
}
