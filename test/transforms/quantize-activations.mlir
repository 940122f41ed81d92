// RUN: llmir-opt %s --split-input-file --pass-pipeline='builtin.module(llm.model(llm-quantize-activations))' | FileCheck %s
// RUN: llmir-opt %s --split-input-file --pass-pipeline='builtin.module(llm.model(llm-quantize-activations{activations=int16}))' | FileCheck %s --check-prefix=INT16
// RUN: not llmir-opt %s --split-input-file --pass-pipeline='builtin.module(llm.model(llm-quantize-activations{activations=int4}))' 2>&1 | FileCheck %s --check-prefix=BAD
// BAD: activations must be int8 or int16, not 'int4'

!kv = !llm.kv<layers = 1, heads = 1, k_dim = 8, v_dim = 8, block = 8, element = f16>
!batch = !llm.batch<mixed>

// Two products of one operand share its quantised form.
// CHECK-LABEL: llm.model @shared
// INT16-LABEL: llm.model @shared
llm.model @shared attributes {vocabulary = 8 : i64, context_length = 8 : i64} {
  llm.weight @table : tensor<8x32xf32> from "table"
  llm.weight @w : tensor<32x32x!llm.quant<q4_0>> from "w"
  llm.weight @head : tensor<8x32x!llm.quant<q8_0>> from "head"
  func.func @step(%batch: !batch, %kv: !kv) -> (tensor<?x8xf32>, !kv) {
    %tokens = llm.batch.tokens %batch : (!batch) -> tensor<?xi32>
    %table = llm.get_weight @table : tensor<8x32xf32>
    %w = llm.get_weight @w : tensor<32x32x!llm.quant<q4_0>>
    %head = llm.get_weight @head : tensor<8x32x!llm.quant<q8_0>>
    // CHECK: %[[X:.*]] = llm.embed
    // CHECK: %[[Q:.*]] = llm.quantize %[[X]] : (tensor<?x32xf32>) -> tensor<?x32x!llm.quant<a8>>
    // INT16: llm.quantize %{{.*}} : (tensor<?x32xf32>) -> tensor<?x32x!llm.quant<a16>>
    %x = llm.embed %tokens, %table : (tensor<?xi32>, tensor<8x32xf32>) -> tensor<?x32xf32>
    // CHECK: llm.linear %[[Q]]
    %a = llm.linear %x, %w : (tensor<?x32xf32>, tensor<32x32x!llm.quant<q4_0>>) -> tensor<?x32xf32>
    // CHECK: llm.linear %[[Q]]
    %logits = llm.linear %x, %head : (tensor<?x32xf32>, tensor<8x32x!llm.quant<q8_0>>) -> tensor<?x8xf32>
    return %logits, %kv : tensor<?x8xf32>, !kv
  }
}

// -----

!kv = !llm.kv<layers = 1, heads = 1, k_dim = 8, v_dim = 8, block = 8, element = f16>
!batch = !llm.batch<mixed>

// Float weights keep float activations.
// CHECK-LABEL: llm.model @float
llm.model @float attributes {vocabulary = 8 : i64, context_length = 8 : i64} {
  llm.weight @table : tensor<8x32xf16> from "table"
  func.func @step(%batch: !batch, %kv: !kv) -> (tensor<?x8xf32>, !kv) {
    %tokens = llm.batch.tokens %batch : (!batch) -> tensor<?xi32>
    %table = llm.get_weight @table : tensor<8x32xf16>
    %x = llm.embed %tokens, %table : (tensor<?xi32>, tensor<8x32xf16>) -> tensor<?x32xf32>
    // CHECK-NOT: llm.quantize
    %logits = llm.linear %x, %table : (tensor<?x32xf32>, tensor<8x32xf16>) -> tensor<?x8xf32>
    return %logits, %kv : tensor<?x8xf32>, !kv
  }
}
