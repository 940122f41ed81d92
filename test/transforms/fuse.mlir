// RUN: llmir-opt %s --split-input-file --pass-pipeline='builtin.module(llm.model(llm-fuse))' | FileCheck %s

!kv = !llm.kv<layers = 1, heads = 1, k_dim = 8, v_dim = 8, block = 8, element = f16>
!batch = !llm.batch<mixed>

// A layer's worth of ops: row-wise ops by tokens, products by features with the element-wise ops behind them, attention
// by heads.
// CHECK-LABEL: llm.model @layer
llm.model @layer attributes {vocabulary = 8 : i64, context_length = 8 : i64} {
  llm.weight @table : tensor<8x16xf32> from "table"
  llm.weight @norm : tensor<16xf32> from "norm"
  llm.weight @w : tensor<8x16xf32> from "w"
  llm.weight @o : tensor<16x8xf32> from "o"
  func.func @step(%batch: !batch, %kv: !kv) -> (tensor<?x8xf32>, !kv) {
    %layer = arith.constant 0 : index
    %tokens = llm.batch.tokens %batch : (!batch) -> tensor<?xi32>
    %table = llm.get_weight @table : tensor<8x16xf32>
    %norm = llm.get_weight @norm : tensor<16xf32>
    %w = llm.get_weight @w : tensor<8x16xf32>
    %o = llm.get_weight @o : tensor<16x8xf32>
    // CHECK: llm.fuse tokens
    // CHECK-NEXT: llm.embed
    // CHECK-NEXT: llm.rms_norm
    // CHECK-NEXT: llm.yield
    %x = llm.embed %tokens, %table : (tensor<?xi32>, tensor<8x16xf32>) -> tensor<?x16xf32>
    %n = llm.rms_norm %x, %norm {eps = 1.0e-05 : f64} : tensor<?x16xf32>, tensor<16xf32>
    %h = llm.linear %n, %w : (tensor<?x16xf32>, tensor<8x16xf32>) -> tensor<?x8xf32>
    %kv1 = llm.kv_append %kv[%layer], %h, %h, %batch : !kv, tensor<?x8xf32>, tensor<?x8xf32>, !batch
    // Storing a head needs that head alone: it is the prologue of attention.
    // CHECK: llm.fuse heads
    // CHECK-NEXT: llm.kv_append
    // CHECK-NEXT: llm.attention
    %a = llm.attention %h, %kv1[%layer], %batch {scale = 1.0 : f64} : (tensor<?x8xf32>, !kv, !batch) -> tensor<?x8xf32>
    // The residual is added where the product's columns are.
    // CHECK: llm.fuse features
    // CHECK-NEXT: llm.linear
    // CHECK-NEXT: arith.addf
    // CHECK-NEXT: llm.yield
    %y = llm.linear %a, %o : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
    %z = arith.addf %x, %y : tensor<?x16xf32>
    // Picking rows serves the logits alone: it is the prologue of their product.
    // CHECK: llm.fuse features
    // CHECK-NEXT: llm.logit_rows
    // CHECK-NEXT: llm.linear
    %r = llm.logit_rows %z, %batch : (tensor<?x16xf32>, !batch) -> tensor<?x16xf32>
    %logits = llm.linear %r, %table : (tensor<?x16xf32>, tensor<8x16xf32>) -> tensor<?x8xf32>
    return %logits, %kv1 : tensor<?x8xf32>, !kv
  }
}

// -----

!kv = !llm.kv<layers = 1, heads = 1, k_dim = 8, v_dim = 8, block = 8, element = f16>
!batch = !llm.batch<mixed>

// Must not share a phase: a product needs all columns of the product before it, and picking rows needs the rows of
// others. Rows that a later phase reads are no prologue.
// CHECK-LABEL: llm.model @apart
llm.model @apart attributes {vocabulary = 8 : i64, context_length = 8 : i64} {
  llm.weight @table : tensor<8x8xf32> from "table"
  func.func @step(%batch: !batch, %kv: !kv) -> (tensor<?x8xf32>, !kv) {
    %tokens = llm.batch.tokens %batch : (!batch) -> tensor<?xi32>
    %table = llm.get_weight @table : tensor<8x8xf32>
    // CHECK: llm.fuse tokens
    // CHECK-NEXT: llm.embed
    // CHECK-NEXT: llm.yield
    %x = llm.embed %tokens, %table : (tensor<?xi32>, tensor<8x8xf32>) -> tensor<?x8xf32>
    // CHECK: llm.fuse features
    // CHECK-NEXT: llm.logit_rows
    // CHECK-NEXT: llm.linear
    // CHECK-NEXT: llm.yield
    %r = llm.logit_rows %x, %batch : (tensor<?x8xf32>, !batch) -> tensor<?x8xf32>
    %h = llm.linear %r, %table : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
    // CHECK: llm.fuse features
    // CHECK-NEXT: llm.linear
    // CHECK-NEXT: llm.yield
    %logits = llm.linear %h, %table : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
    return %logits, %kv : tensor<?x8xf32>, !kv
  }
}
