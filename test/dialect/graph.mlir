// llm.graph and llm.dense_attention: every form survives printing and parsing.
// RUN: llmir-opt %s | llmir-opt | FileCheck %s

// CHECK: llm.graph @block attributes {source = "block.pt2"} {
llm.graph @block attributes {source = "block.pt2"} {
  // CHECK: llm.weight @attn.q.weight : tensor<64x64xf32> from "attn.q.weight"
  llm.weight @attn.q.weight : tensor<64x64xf32> from "attn.q.weight"
  func.func @forward(%x: tensor<?x64xf32>, %k: tensor<?x32xf32>, %batch: !llm.batch<mixed>) -> tensor<?x64xf32> {
    %w = llm.get_weight @attn.q.weight : tensor<64x64xf32>
    %q = llm.linear %x, %w : (tensor<?x64xf32>, tensor<64x64xf32>) -> tensor<?x64xf32>
    // CHECK: %[[O:.*]] = llm.dense_attention %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} {heads = 2 : i64, scale = 2.500000e-01 : f64} : (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>, !llm.batch<mixed>) -> tensor<?x64xf32>
    %o = llm.dense_attention %q, %k, %k, %batch {heads = 2 : i64, scale = 2.5e-01 : f64} : (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>, !llm.batch<mixed>) -> tensor<?x64xf32>
    // CHECK: llm.dense_attention %[[O]], {{.*}} {heads = 2 : i64, scale = 2.500000e-01 : f64, softcap = 5.000000e+01 : f64, window = 7 : i64}
    %o2 = llm.dense_attention %o, %k, %k, %batch {heads = 2 : i64, scale = 2.5e-01 : f64, window = 7 : i64, softcap = 50.0 : f64} : (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>, !llm.batch<mixed>) -> tensor<?x64xf32>
    return %o2 : tensor<?x64xf32>
  }
}
