// RUN: llmir-opt %s --split-input-file --pass-pipeline='builtin.module(llm.graph(llm-page-attention))' -verify-diagnostics | FileCheck %s
// RUN: not llmir-opt %s --split-input-file --pass-pipeline='builtin.module(llm.graph(llm-page-attention{kv=f32 block=16}))' 2> /dev/null | FileCheck %s --check-prefix=F32
// RUN: not llmir-opt %s --split-input-file --pass-pipeline='builtin.module(llm.graph(llm-page-attention{kv=f64}))' 2>&1 | FileCheck %s --check-prefix=WRONG
// RUN: not llmir-opt %s --split-input-file --pass-pipeline='builtin.module(llm.graph(llm-page-attention{block=7}))' 2>&1 | FileCheck %s --check-prefix=BLOCK
// WRONG: llm-page-attention: kv must be f16 or f32, not 'f64'
// BLOCK: llm-page-attention: {{.*}}block

!batch = !llm.batch<mixed>

// Two layers of one cache; window and softcap stay.
// CHECK-LABEL: llm.graph @two
// CHECK: func.func @forward(%[[B:.*]]: !llm.batch<mixed>, %[[X:.*]]: tensor<?x8xf32>, %[[KV:.*]]: !llm.kv<layers = 2, heads = 2, k_dim = 4, v_dim = 3, block = 32, element = f16>) -> (tensor<?x6xf32>, !llm.kv
// CHECK: %[[C0:.*]] = arith.constant 0 : index
// CHECK: %[[KV1:.*]] = llm.kv_append %[[KV]][%[[C0]]], %[[X]], %[[V:.*]], %[[B]]
// CHECK: llm.attention %[[X]], %[[KV1]][%[[C0]]], %[[B]] {scale = 5.000000e-01 : f64, softcap = 3.000000e+00 : f64, window = 4 : i64}
// CHECK: %[[C1:.*]] = arith.constant 1 : index
// CHECK: %[[KV2:.*]] = llm.kv_append %[[KV1]][%[[C1]]]
// CHECK: %[[O:.*]] = llm.attention %{{.*}}, %[[KV2]][%[[C1]]], %[[B]] {scale = 1.000000e+00 : f64}
// CHECK: return %[[O]], %[[KV2]]
// F32: block = 16, element = f32
llm.graph @two {
  llm.weight @v : tensor<6x8xf32> from "v"
  llm.weight @o : tensor<8x6xf32> from "o"
  func.func @forward(%batch: !batch, %x: tensor<?x8xf32>) -> tensor<?x6xf32> {
    %wv = llm.get_weight @v : tensor<6x8xf32>
    %wo = llm.get_weight @o : tensor<8x6xf32>
    %v = llm.linear %x, %wv : (tensor<?x8xf32>, tensor<6x8xf32>) -> tensor<?x6xf32>
    %0 = llm.dense_attention %x, %x, %v, %batch {heads = 2 : i64, scale = 0.5 : f64, window = 4 : i64, softcap = 3.0 : f64} : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x6xf32>, !batch) -> tensor<?x6xf32>
    %1 = llm.linear %0, %wo : (tensor<?x6xf32>, tensor<8x6xf32>) -> tensor<?x8xf32>
    %2 = llm.dense_attention %1, %1, %0, %batch {heads = 2 : i64, scale = 1.0 : f64} : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x6xf32>, !batch) -> tensor<?x6xf32>
    return %2 : tensor<?x6xf32>
  }
}

// -----

// Nothing to page.
// CHECK-LABEL: llm.graph @none
// CHECK: func.func @forward(%{{.*}}: !llm.batch<mixed>, %{{.*}}: tensor<?x8xf32>) -> tensor<?x8xf32>
llm.graph @none {
  func.func @forward(%batch: !llm.batch<mixed>, %x: tensor<?x8xf32>) -> tensor<?x8xf32> {
    return %x : tensor<?x8xf32>
  }
}

// -----

llm.graph @shapes {
  func.func @forward(%batch: !llm.batch<mixed>, %x: tensor<?x8xf32>) -> tensor<?x8xf32> {
    %0 = llm.dense_attention %x, %x, %x, %batch {heads = 2 : i64, scale = 1.0 : f64} : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, !llm.batch<mixed>) -> tensor<?x8xf32>
    // expected-error@+1 {{llm-page-attention: keys and values have 1 heads of 8 and 8 columns, in the first attention 2 heads of 4 and 4 columns: one cache holds layers of one shape}}
    %1 = llm.dense_attention %0, %0, %0, %batch {heads = 1 : i64, scale = 1.0 : f64} : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, !llm.batch<mixed>) -> tensor<?x8xf32>
    return %1 : tensor<?x8xf32>
  }
}

// -----

llm.graph @elsewhere {
  func.func private @part(%batch: !llm.batch<mixed>, %x: tensor<?x8xf32>) -> tensor<?x8xf32> {
    // expected-error@+1 {{llm-page-attention: must stand in the body of @forward itself}}
    %0 = llm.dense_attention %x, %x, %x, %batch {heads = 2 : i64, scale = 1.0 : f64} : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, !llm.batch<mixed>) -> tensor<?x8xf32>
    return %0 : tensor<?x8xf32>
  }
  func.func @forward(%batch: !llm.batch<mixed>, %x: tensor<?x8xf32>) -> tensor<?x8xf32> {
    %0 = func.call @part(%batch, %x) : (!llm.batch<mixed>, tensor<?x8xf32>) -> tensor<?x8xf32>
    return %0 : tensor<?x8xf32>
  }
}

// -----

llm.graph @batches {
  func.func @forward(%batch: !llm.batch<mixed>, %other: !llm.batch<mixed>, %x: tensor<?x8xf32>) -> tensor<?x8xf32> {
    %0 = llm.dense_attention %x, %x, %x, %batch {heads = 2 : i64, scale = 1.0 : f64} : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, !llm.batch<mixed>) -> tensor<?x8xf32>
    // expected-error@+1 {{llm-page-attention: has another batch than the first attention}}
    %1 = llm.dense_attention %0, %0, %0, %other {heads = 2 : i64, scale = 1.0 : f64} : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, !llm.batch<mixed>) -> tensor<?x8xf32>
    return %1 : tensor<?x8xf32>
  }
}

// -----

!kv = !llm.kv<layers = 1, heads = 1, k_dim = 8, v_dim = 8, block = 8, element = f16>

llm.graph @cached {
  // expected-error@+1 {{llm-page-attention: there is a cache already}}
  func.func @forward(%batch: !llm.batch<mixed>, %x: tensor<?x8xf32>, %kv: !kv) -> (tensor<?x8xf32>, !kv) {
    %0 = llm.dense_attention %x, %x, %x, %batch {heads = 2 : i64, scale = 1.0 : f64} : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, !llm.batch<mixed>) -> tensor<?x8xf32>
    return %0, %kv : tensor<?x8xf32>, !kv
  }
}
