// RUN: llmir-opt %s --split-input-file --pass-pipeline='builtin.module(llm.model(llm-quantize-weights))' | FileCheck %s
// RUN: llmir-opt %s --split-input-file --pass-pipeline='builtin.module(llm.model(llm-quantize-weights{weights=int4}))' | FileCheck %s --check-prefix=INT4
// RUN: llmir-opt %s --split-input-file --pass-pipeline='builtin.module(llm.model(llm-expand-experts,llm-quantize-weights{weights=int4}))' | FileCheck %s --check-prefix=INT4
// RUN: llmir-opt %s --split-input-file --pass-pipeline='builtin.module(llm.model(llm-quantize-weights))' -o /dev/null 2>&1 | FileCheck %s --check-prefix=WARN
// RUN: not llmir-opt %s --split-input-file --pass-pipeline='builtin.module(llm.model(llm-quantize-weights{weights=a8}))' 2>&1 | FileCheck %s --check-prefix=BAD
// BAD: weights must be int8 or int4, not 'a8'

!kv = !llm.kv<layers = 2, heads = 1, k_dim = 8, v_dim = 8, block = 8, element = f16>
!batch = !llm.batch<mixed>

// Every symbol that products read, and its values in all functions; tables and what gives the logits keep 8 bits.
// CHECK-LABEL: llm.model @dense
// INT4-LABEL: llm.model @dense
llm.model @dense attributes {vocabulary = 8 : i64, context_length = 8 : i64} {
  // CHECK: @table : tensor<8x32x!llm.quant<q8_0>>
  // INT4: @table : tensor<8x32x!llm.quant<q8_0>>
  llm.weight @table : tensor<8x32xf32> from "table"
  // CHECK: @w : tensor<32x32x!llm.quant<q8_0>>
  // INT4: @w : tensor<32x32x!llm.quant<q4_0>>
  llm.weight @w : tensor<32x32xbf16> from "{}.w" layers [0, 1]
  // CHECK: @head : tensor<8x32x!llm.quant<q8_0>>
  // INT4: @head : tensor<8x32x!llm.quant<q8_0>>
  llm.weight @head : tensor<8x32xf16> from "head"
  // CHECK: @bias : tensor<32xf32>
  // INT4: @bias : tensor<32xf32>
  llm.weight @bias : tensor<32xf32> from "bias"
  // CHECK-LABEL: @layer
  // INT4-LABEL: @layer
  func.func private @layer(%x: tensor<?x32xf32>, %layer: index) -> tensor<?x32xf32> {
    // CHECK: llm.get_weight @w[%{{.*}}] : tensor<32x32x!llm.quant<q8_0>>
    // INT4: llm.get_weight @w[%{{.*}}] : tensor<32x32x!llm.quant<q4_0>>
    %w = llm.get_weight @w[%layer] : tensor<32x32xbf16>
    %bias = llm.get_weight @bias : tensor<32xf32>
    // INT4: llm.linear %{{.*}}, %{{.*}} bias %{{.*}} : (tensor<?x32xf32>, tensor<32x32x!llm.quant<q4_0>>, tensor<32xf32>)
    %y = llm.linear %x, %w bias %bias : (tensor<?x32xf32>, tensor<32x32xbf16>, tensor<32xf32>) -> tensor<?x32xf32>
    return %y : tensor<?x32xf32>
  }
  // CHECK-LABEL: @step
  // INT4-LABEL: @step
  func.func @step(%batch: !batch, %kv: !kv) -> (tensor<?x8xf32>, !kv) {
    %tokens = llm.batch.tokens %batch : (!batch) -> tensor<?xi32>
    %table = llm.get_weight @table : tensor<8x32xf32>
    %head = llm.get_weight @head : tensor<8x32xf16>
    %l = arith.constant 0 : index
    // CHECK: llm.embed %{{.*}}, %{{.*}} : (tensor<?xi32>, tensor<8x32x!llm.quant<q8_0>>)
    // INT4: llm.embed %{{.*}}, %{{.*}} : (tensor<?xi32>, tensor<8x32x!llm.quant<q8_0>>)
    %x = llm.embed %tokens, %table : (tensor<?xi32>, tensor<8x32xf32>) -> tensor<?x32xf32>
    %y = func.call @layer(%x, %l) : (tensor<?x32xf32>, index) -> tensor<?x32xf32>
    %z = llm.linear %y, %head : (tensor<?x32xf32>, tensor<8x32xf16>) -> tensor<?x8xf32>
    %capped = llm.softcap %z at 8.0 : tensor<?x8xf32>
    return %capped, %kv : tensor<?x8xf32>, !kv
  }
}

// -----

!kv = !llm.kv<layers = 1, heads = 1, k_dim = 8, v_dim = 8, block = 8, element = f16>
!batch = !llm.batch<mixed>
!e = tensor<32x32x32xf16>

// Experts become quantised; what chooses them stays, also behind element-wise ops and where it is a table.
// CHECK-LABEL: llm.model @mixture
// INT4-LABEL: llm.model @mixture
llm.model @mixture attributes {vocabulary = 32 : i64, context_length = 8 : i64} {
  llm.weight @table : tensor<32x32xf32> from "table"
  // CHECK: @router : tensor<32x32xf32>
  // INT4: @router : tensor<32x32xf32>
  llm.weight @router : tensor<32x32xf32> from "router"
  // CHECK: @shift : tensor<32x32xf32>
  // INT4: @shift : tensor<32x32xf32>
  llm.weight @shift : tensor<32x32xf32> from "shift"
  // CHECK: @gate : tensor<32x32x32x!llm.quant<q8_0>>
  // INT4: @gate : tensor<32x32x32x!llm.quant<q4_0>>
  llm.weight @gate : !e from "gate"
  // CHECK: @down : tensor<32x32x32x!llm.quant<q8_0>>
  // INT4: @down : tensor<32x32x32x!llm.quant<q4_0>>
  llm.weight @down : !e from "down"
  func.func @step(%batch: !batch, %kv: !kv) -> (tensor<?x32xf32>, !kv) {
    %tokens = llm.batch.tokens %batch : (!batch) -> tensor<?xi32>
    %table = llm.get_weight @table : tensor<32x32xf32>
    %router = llm.get_weight @router : tensor<32x32xf32>
    %shift = llm.get_weight @shift : tensor<32x32xf32>
    %gate = llm.get_weight @gate : !e
    %down = llm.get_weight @down : !e
    %x = llm.embed %tokens, %table : (tensor<?xi32>, tensor<32x32xf32>) -> tensor<?x32xf32>
    %l = llm.linear %x, %router : (tensor<?x32xf32>, tensor<32x32xf32>) -> tensor<?x32xf32>
    %capped = llm.softcap %l at 4.0 : tensor<?x32xf32>
    %s = llm.embed %tokens, %shift : (tensor<?xi32>, tensor<32x32xf32>) -> tensor<?x32xf32>
    %r = arith.addf %capped, %s : tensor<?x32xf32>
    %y = llm.moe silu %x, %gate, %gate, %down by softmax %r top 2 : (tensor<?x32xf32>, !e, !e, !e, tensor<?x32xf32>) -> tensor<?x32xf32>
    return %y, %kv : tensor<?x32xf32>, !kv
  }
}

// -----

!kv = !llm.kv<layers = 1, heads = 1, k_dim = 8, v_dim = 8, block = 8, element = f16>
!batch = !llm.batch<mixed>
!w = tensor<32x32xf16>

// What is quantised already, rows of no whole groups, and weights that something else reads too must stay.
// WARN-NOT: warning:
// WARN: warning: the weight odd stays f16: its 40 columns are no multiple of 32
// CHECK-LABEL: llm.model @kept
llm.model @kept attributes {vocabulary = 8 : i64, context_length = 8 : i64} {
  // CHECK: @table : tensor<8x32x!llm.quant<q4_1>>
  llm.weight @table : tensor<8x32x!llm.quant<q4_1>> from "table"
  // CHECK: @handed : tensor<32x32xf16>
  llm.weight @handed : !w from "handed"
  // CHECK: @even : tensor<40x32x!llm.quant<q8_0>>
  llm.weight @even : tensor<40x32xf16> from "even"
  // CHECK: @odd : tensor<8x40xf16>
  llm.weight @odd : tensor<8x40xf16> from "odd"
  // CHECK: @unread : tensor<32x32xf16>
  llm.weight @unread : !w from "unread"
  func.func private @product(%x: tensor<?x32xf32>, %w: !w) -> tensor<?x32xf32> {
    %y = llm.linear %x, %w : (tensor<?x32xf32>, !w) -> tensor<?x32xf32>
    return %y : tensor<?x32xf32>
  }
  func.func @step(%batch: !batch, %kv: !kv) -> (tensor<?x8xf32>, !kv) {
    %tokens = llm.batch.tokens %batch : (!batch) -> tensor<?xi32>
    %table = llm.get_weight @table : tensor<8x32x!llm.quant<q4_1>>
    %handed = llm.get_weight @handed : !w
    %even = llm.get_weight @even : tensor<40x32xf16>
    %odd = llm.get_weight @odd : tensor<8x40xf16>
    %x = llm.embed %tokens, %table : (tensor<?xi32>, tensor<8x32x!llm.quant<q4_1>>) -> tensor<?x32xf32>
    %a = llm.linear %x, %handed : (tensor<?x32xf32>, !w) -> tensor<?x32xf32>
    %b = func.call @product(%a, %handed) : (tensor<?x32xf32>, !w) -> tensor<?x32xf32>
    %c = llm.linear %b, %even : (tensor<?x32xf32>, tensor<40x32xf16>) -> tensor<?x40xf32>
    %logits = llm.linear %c, %odd : (tensor<?x40xf32>, tensor<8x40xf16>) -> tensor<?x8xf32>
    return %logits, %kv : tensor<?x8xf32>, !kv
  }
}

// -----

!kv = !llm.kv<layers = 1, heads = 1, k_dim = 8, v_dim = 8, block = 8, element = f16>
!batch = !llm.batch<mixed>

// Nothing to do is said once.
// WARN-NOT: warning:
// WARN: warning: no matrix of floats was found to quantise to int8: the weights stay as they are
// WARN-NOT: warning:
// CHECK-LABEL: llm.model @nothing
// CHECK: @table : tensor<8x256x!llm.quant<q4_k>>
llm.model @nothing attributes {vocabulary = 8 : i64, context_length = 8 : i64} {
  llm.weight @table : tensor<8x256x!llm.quant<q4_k>> from "table"
  func.func @step(%batch: !batch, %kv: !kv) -> (tensor<?x8xf32>, !kv) {
    %tokens = llm.batch.tokens %batch : (!batch) -> tensor<?xi32>
    %table = llm.get_weight @table : tensor<8x256x!llm.quant<q4_k>>
    %x = llm.embed %tokens, %table : (tensor<?xi32>, tensor<8x256x!llm.quant<q4_k>>) -> tensor<?x256xf32>
    %logits = llm.linear %x, %table : (tensor<?x256xf32>, tensor<8x256x!llm.quant<q4_k>>) -> tensor<?x8xf32>
    return %logits, %kv : tensor<?x8xf32>, !kv
  }
}
