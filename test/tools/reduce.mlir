// llmir-reduce cuts a model down to what the tester still finds interesting: here a module with an llm.attention.
// RUN: llmir-reduce %s -reduction-tree='traversal-mode=0 test=%S/Inputs/has-attention.sh' | FileCheck %s

// CHECK-LABEL: llm.model @big
// CHECK-NOT: llm.linear
// CHECK-NOT: llm.rms_norm
// CHECK-NOT: llm.kv_append
// CHECK: llm.attention
// CHECK-NOT: arith.addf

!kv = !llm.kv<layers = 1, heads = 1, k_dim = 8, v_dim = 8, block = 8, element = f16>
llm.model @big attributes {vocabulary = 8 : i64, context_length = 8 : i64} {
  llm.weight @table : tensor<8x8xf32> from "table"
  llm.weight @norm : tensor<8xf32> from "norm"
  func.func @step(%batch: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x8xf32>, !kv) {
    %layer = arith.constant 0 : index
    %tokens = llm.batch.tokens %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    %table = llm.get_weight @table : tensor<8x8xf32>
    %norm = llm.get_weight @norm : tensor<8xf32>
    %x = llm.embed %tokens, %table : (tensor<?xi32>, tensor<8x8xf32>) -> tensor<?x8xf32>
    %n = llm.rms_norm %x, %norm {eps = 1.0e-05 : f64} : tensor<?x8xf32>, tensor<8xf32>
    %q = llm.linear %n, %table : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
    %kv1 = llm.kv_append %kv[%layer], %n, %q, %batch : !kv, tensor<?x8xf32>, tensor<?x8xf32>, !llm.batch<mixed>
    %a = llm.attention %q, %kv1[%layer], %batch {scale = 1.0 : f64} : (tensor<?x8xf32>, !kv, !llm.batch<mixed>) -> tensor<?x8xf32>
    %y = llm.linear %a, %table : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
    %z = arith.addf %x, %y : tensor<?x8xf32>
    return %z, %kv1 : tensor<?x8xf32>, !kv
  }
}
