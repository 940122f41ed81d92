// RUN: llmir-opt %s --split-input-file --pass-pipeline='builtin.module(llm.model(llm-expand-experts))' | FileCheck %s
// RUN: llmir-opt %s --split-input-file --pass-pipeline='builtin.module(llm.model(llm-expand-experts,llm-quantize-activations))' | FileCheck %s --check-prefix=QUANT
// RUN: llmir-opt %s --split-input-file --pass-pipeline='builtin.module(llm.model(llm-expand-experts,llm-fuse))' | FileCheck %s --check-prefix=PHASES

!kv = !llm.kv<layers = 1, heads = 1, k_dim = 8, v_dim = 8, block = 8, element = f16>
!batch = !llm.batch<mixed>
!q = tensor<4x64x32x!llm.quant<q4_0>>

// CHECK-LABEL: llm.model @mixture
// QUANT-LABEL: llm.model @mixture
// PHASES-LABEL: llm.model @mixture
llm.model @mixture attributes {vocabulary = 32 : i64, context_length = 8 : i64} {
  llm.weight @table : tensor<32x32xf32> from "table"
  llm.weight @router : tensor<4x32xf32> from "router"
  llm.weight @gate : !q from "gate"
  llm.weight @down : tensor<4x32x64xf16> from "down"
  func.func @step(%batch: !batch, %kv: !kv) -> (tensor<?x32xf32>, !kv) {
    %tokens = llm.batch.tokens %batch : (!batch) -> tensor<?xi32>
    %table = llm.get_weight @table : tensor<32x32xf32>
    %router = llm.get_weight @router : tensor<4x32xf32>
    %gate = llm.get_weight @gate : !q
    %down = llm.get_weight @down : tensor<4x32x64xf16>
    // CHECK: %[[X:.*]] = llm.embed
    %x = llm.embed %tokens, %table : (tensor<?xi32>, tensor<32x32xf32>) -> tensor<?x32xf32>
    // CHECK: %[[L:.*]] = llm.linear %[[X]]
    %l = llm.linear %x, %router : (tensor<?x32xf32>, tensor<4x32xf32>) -> tensor<?x4xf32>
    // CHECK-NOT: llm.moe
    // CHECK: %[[E:.*]], %[[W:.*]] = llm.experts.route softmax %[[L]] {renormalise} : (tensor<?x4xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
    // CHECK: %[[O:.*]] = llm.experts.group %[[E]] of 4
    // CHECK: %[[G:.*]] = llm.experts.linear %[[X]], %{{.*}}, %[[E]], %[[O]]
    // CHECK: %[[U:.*]] = llm.experts.linear %[[X]], %{{.*}}, %[[E]], %[[O]]
    // CHECK: %[[H:.*]] = llm.glu silu %[[G]], %[[U]] : tensor<?x2x64xf32>
    // CHECK: %[[D:.*]] = llm.experts.linear %[[H]], %{{.*}}, %[[E]], %[[O]]
    // CHECK: llm.experts.combine %[[D]], %[[W]] : (tensor<?x2x32xf32>, tensor<?x2xf32>) -> tensor<?x32xf32>
    // Both products with quantised weights share the quantised operand; the product with f16 weights stays as it is.
    // QUANT: %[[Q:.*]] = llm.quantize %{{.*}} : (tensor<?x32xf32>) -> tensor<?x32x!llm.quant<a8>>
    // QUANT-NOT: llm.quantize
    // QUANT: llm.experts.linear %[[Q]]
    // QUANT: llm.experts.linear %[[Q]]
    // QUANT: %[[H:.*]] = llm.glu
    // QUANT: llm.experts.linear %[[H]]
    // Routing needs whole rows, grouping all of them; the sum over a token's experts is taken where the product's columns are.
    // PHASES: llm.fuse tokens ({{.*}}) : (tensor<?x4xf32>)
    // PHASES-NEXT: llm.experts.route
    // PHASES-NEXT: llm.yield
    // PHASES: llm.fuse tokens
    // PHASES-NEXT: llm.experts.group
    // PHASES-NEXT: llm.yield
    // PHASES: llm.fuse features
    // PHASES-NEXT: llm.experts.linear
    // PHASES-NEXT: llm.experts.linear
    // PHASES-NEXT: llm.glu
    // PHASES-NEXT: llm.yield
    // PHASES: llm.fuse features
    // PHASES-NEXT: llm.experts.linear
    // PHASES-NEXT: llm.experts.combine
    // PHASES-NEXT: arith.addf
    // PHASES-NEXT: llm.yield
    %y = llm.moe silu %x, %gate, %gate, %down by softmax %l top 2 {renormalise} : (tensor<?x32xf32>, !q, !q, tensor<4x32x64xf16>, tensor<?x4xf32>) -> tensor<?x32xf32>
    %z = arith.addf %x, %y : tensor<?x32xf32>
    return %z, %kv : tensor<?x32xf32>, !kv
  }
}

// -----

!kv = !llm.kv<layers = 1, heads = 1, k_dim = 8, v_dim = 8, block = 8, element = f16>
!batch = !llm.batch<mixed>
!w = tensor<4x32x32xf32>

// Must not share a phase: weights of experts that a phase computes by columns are needed as whole rows.
// PHASES-LABEL: llm.model @apart
// CHECK-LABEL: llm.model @apart
llm.model @apart attributes {vocabulary = 32 : i64, context_length = 8 : i64} {
  llm.weight @table : tensor<32x32xf32> from "table"
  llm.weight @router : tensor<4x32xf32> from "router"
  llm.weight @two : tensor<2x32xf32> from "two"
  llm.weight @square : tensor<32x32xf32> from "square"
  llm.weight @w : !w from "w"
  func.func @step(%batch: !batch, %kv: !kv) -> (tensor<?x32xf32>, !kv) {
    %tokens = llm.batch.tokens %batch : (!batch) -> tensor<?xi32>
    %table = llm.get_weight @table : tensor<32x32xf32>
    %router = llm.get_weight @router : tensor<4x32xf32>
    %two = llm.get_weight @two : tensor<2x32xf32>
    %square = llm.get_weight @square : tensor<32x32xf32>
    %w = llm.get_weight @w : !w
    %x = llm.embed %tokens, %table : (tensor<?xi32>, tensor<32x32xf32>) -> tensor<?x32xf32>
    %l = llm.linear %x, %router : (tensor<?x32xf32>, tensor<4x32xf32>) -> tensor<?x4xf32>
    %c = llm.linear %x, %square : (tensor<?x32xf32>, tensor<32x32xf32>) -> tensor<?x32xf32>
    // CHECK: llm.experts.route
    %e, %u = llm.experts.route sigmoid %l : (tensor<?x4xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
    %o = llm.experts.group %e of 4 : tensor<?x2xi32>
    // PHASES: llm.experts.group
    // PHASES: llm.fuse features
    // PHASES-NEXT: llm.linear
    // PHASES-NEXT: llm.experts.linear
    // PHASES-NEXT: arith.mulf
    // PHASES-NEXT: llm.yield
    // PHASES: llm.fuse tokens
    // PHASES-NEXT: llm.experts.combine
    %v = llm.linear %c, %two : (tensor<?x32xf32>, tensor<2x32xf32>) -> tensor<?x2xf32>
    %d = llm.experts.linear %x, %w, %e, %o : (tensor<?x32xf32>, !w, tensor<?x2xi32>, tensor<?x2xi32>) -> tensor<?x2x32xf32>
    %s = arith.mulf %u, %v : tensor<?x2xf32>
    %y = llm.experts.combine %d, %s : (tensor<?x2x32xf32>, tensor<?x2xf32>) -> tensor<?x32xf32>
    return %y, %kv : tensor<?x32xf32>, !kv
  }
}
