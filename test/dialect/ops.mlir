// Every op survives printing and parsing.
// RUN: llmir-opt %s | llmir-opt | FileCheck %s

#local = #llm.rope<style = half, dim = 4, theta = 1.0e+04 : f64, magnitude = 1.0 : f64, factors = []>
#global = #llm.rope<style = half, dim = 4, theta = 1.0e+06 : f64, magnitude = 1.0 : f64, factors = []>
!kv = !llm.kv<layers = 4, heads = 2, k_dim = 32, v_dim = 32, block = 16, element = f16>

// CHECK-LABEL: llm.model @tiny attributes {context_length = 128 : i64, source = "tiny.gguf", vocabulary = 50 : i64}
llm.model @tiny attributes {context_length = 128 : i64, source = "tiny.gguf", vocabulary = 50 : i64} {
  // CHECK: llm.weight @embedding : tensor<50x64xf16> from "token_embd.weight"
  llm.weight @embedding : tensor<50x64xf16> from "token_embd.weight"
  // CHECK: llm.weight @norm : tensor<64xf32> from "blk.{}.norm.weight" layers [0, 1, 3]
  llm.weight @norm : tensor<64xf32> from "blk.{}.norm.weight" layers [0, 1, 3]
  llm.weight @head_norm : tensor<32xf32> from "head_norm.weight"
  // CHECK: llm.weight @proj : tensor<64x64x!llm.quant<q4_1>> from "proj.weight"
  llm.weight @proj : tensor<64x64x!llm.quant<q4_1>> from "proj.weight"
  llm.weight @proj_bias : tensor<64xbf16> from "proj.bias"

  // CHECK-LABEL: func.func @layer
  func.func @layer(%layer: index, %x: tensor<?x64xf32>, %batch: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x64xf32>, !kv) {
    // CHECK: %[[NORM:.*]] = llm.get_weight @norm[%{{.*}}] : tensor<64xf32>
    %norm = llm.get_weight @norm[%layer] : tensor<64xf32>
    // CHECK: %[[PROJ:.*]] = llm.get_weight @proj : tensor<64x64x!llm.quant<q4_1>>
    %proj = llm.get_weight @proj : tensor<64x64x!llm.quant<q4_1>>
    %bias = llm.get_weight @proj_bias : tensor<64xbf16>
    %headNorm = llm.get_weight @head_norm : tensor<32xf32>
    // CHECK: llm.batch.positions %{{.*}} : (!llm.batch<mixed>) -> tensor<?xi32>
    %positions = llm.batch.positions %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    // CHECK: %[[N:.*]] = llm.rms_norm %{{.*}}, %[[NORM]] {eps = 1.000000e-05 : f64} : tensor<?x64xf32>, tensor<64xf32>
    %n = llm.rms_norm %x, %norm {eps = 1.0e-05 : f64} : tensor<?x64xf32>, tensor<64xf32>
    // CHECK: llm.layer_norm %[[N]], %[[NORM]] {eps = 1.000000e-05 : f64} : tensor<?x64xf32>, tensor<64xf32>
    %l0 = llm.layer_norm %n, %norm {eps = 1.0e-05 : f64} : tensor<?x64xf32>, tensor<64xf32>
    // CHECK: %[[L:.*]] = llm.layer_norm %{{.*}}, %[[NORM]] bias %{{.*}} {eps = 1.000000e-05 : f64} : tensor<?x64xf32>, tensor<64xf32>, tensor<64xbf16>
    %l = llm.layer_norm %l0, %norm bias %bias {eps = 1.0e-05 : f64} : tensor<?x64xf32>, tensor<64xf32>, tensor<64xbf16>
    // CHECK: %[[A8:.*]] = llm.quantize %[[L]] : (tensor<?x64xf32>) -> tensor<?x64x!llm.quant<a8>>
    %a8 = llm.quantize %l : (tensor<?x64xf32>) -> tensor<?x64x!llm.quant<a8>>
    // CHECK: llm.quantize %[[L]] : (tensor<?x64xf32>) -> tensor<?x64x!llm.quant<a16>>
    %a16 = llm.quantize %l : (tensor<?x64xf32>) -> tensor<?x64x!llm.quant<a16>>
    // CHECK: llm.linear %[[A8]], %[[PROJ]] : (tensor<?x64x!llm.quant<a8>>, tensor<64x64x!llm.quant<q4_1>>) -> tensor<?x64xf32>
    %q = llm.linear %a8, %proj : (tensor<?x64x!llm.quant<a8>>, tensor<64x64x!llm.quant<q4_1>>) -> tensor<?x64xf32>
    // CHECK: llm.linear %{{.*}}, %[[PROJ]] bias %{{.*}} : (tensor<?x64x!llm.quant<a16>>, tensor<64x64x!llm.quant<q4_1>>, tensor<64xbf16>) -> tensor<?x64xf32>
    %k = llm.linear %a16, %proj bias %bias : (tensor<?x64x!llm.quant<a16>>, tensor<64x64x!llm.quant<q4_1>>, tensor<64xbf16>) -> tensor<?x64xf32>
    %kn = llm.rms_norm %k, %headNorm {eps = 1.0e-05 : f64} : tensor<?x64xf32>, tensor<32xf32>
    // CHECK: llm.rope %{{.*}}, %{{.*}} {head_dim = 32 : i64, rope = #llm.rope<style = half, dim = 4, theta = 1.000000e+04 : f64, magnitude = 1.000000e+00 : f64, factors = [1.000000e+00, 2.000000e+00]>} : tensor<?x64xf32>, tensor<?xi32>
    %kr = llm.rope %kn, %positions {head_dim = 32 : i64, rope = #llm.rope<style = half, dim = 4, theta = 1.0e+04 : f64, magnitude = 1.0 : f64, factors = [1.0, 2.0]>} : tensor<?x64xf32>, tensor<?xi32>
    // CHECK: style = interleaved, dim = 32, theta = 1.000000e+04 : f64, magnitude = 1.000000e+00 : f64, factors = []
    %qr = llm.rope %q, %positions {head_dim = 32 : i64, rope = #llm.rope<style = interleaved, dim = 32, theta = 1.0e+04 : f64, magnitude = 1.0 : f64, factors = []>} : tensor<?x64xf32>, tensor<?xi32>
    // CHECK: llm.rope %{{.*}}, %{{.*}}[%{{.*}}] {head_dim = 32 : i64, ropes = [#llm.rope<style = half, dim = 4, theta = 1.000000e+04 : f64, {{.*}}>, #llm.rope<{{.*}}>, #llm.rope<{{.*}}>, #llm.rope<style = half, dim = 4, theta = 1.000000e+06 : f64, {{.*}}>]} : tensor<?x64xf32>, tensor<?xi32>
    %ql = llm.rope %q, %positions[%layer] {head_dim = 32 : i64, ropes = [#local, #local, #local, #global]} : tensor<?x64xf32>, tensor<?xi32>
    // CHECK: %[[KV:.*]] = llm.kv_append %{{.*}}[%{{.*}}], %{{.*}}, %{{.*}}, %{{.*}} : !llm.kv<layers = 4, heads = 2, k_dim = 32, v_dim = 32, block = 16, element = f16>, tensor<?x64xf32>, tensor<?x64xf32>, !llm.batch<mixed>
    %kv1 = llm.kv_append %kv[%layer], %kr, %k, %batch : !kv, tensor<?x64xf32>, tensor<?x64xf32>, !llm.batch<mixed>
    // CHECK: llm.attention %{{.*}}, %[[KV]][%{{.*}}], %{{.*}} {scale = 1.250000e-01 : f64} : (tensor<?x64xf32>, !llm.kv<{{.*}}>, !llm.batch<mixed>) -> tensor<?x64xf32>
    %o0 = llm.attention %qr, %kv1[%layer], %batch {scale = 1.25e-01 : f64} : (tensor<?x64xf32>, !kv, !llm.batch<mixed>) -> tensor<?x64xf32>
    // CHECK: llm.attention %{{.*}} {scale = 1.250000e-01 : f64, softcap = 5.000000e+01 : f64, window = 7 : i64}
    %o = llm.attention %o0, %kv1[%layer], %batch {scale = 1.25e-01 : f64, softcap = 5.0e+01 : f64, window = 7 : i64} : (tensor<?x64xf32>, !kv, !llm.batch<mixed>) -> tensor<?x64xf32>
    // CHECK: llm.attention %{{.*}} {scale = 1.250000e-01 : f64, windows = array<i64: 7, 7, 7, 0>}
    %ol = llm.attention %ql, %kv1[%layer], %batch {scale = 1.25e-01 : f64, windows = array<i64: 7, 7, 7, 0>} : (tensor<?x64xf32>, !kv, !llm.batch<mixed>) -> tensor<?x64xf32>
    // CHECK: llm.glu silu %{{.*}}, %{{.*}} : tensor<?x64xf32>
    %g = llm.glu silu %o, %x : tensor<?x64xf32>
    // CHECK: llm.activate gelu_tanh %{{.*}} : tensor<?x64xf32>
    %a = llm.activate gelu_tanh %g : tensor<?x64xf32>
    // CHECK: llm.activate relu
    %r = llm.activate relu %a : tensor<?x64xf32>
    // CHECK: llm.activate gelu %
    %e = llm.activate gelu %r : tensor<?x64xf32>
    // CHECK: llm.scale %{{.*}} by 2.500000e-01 : tensor<?x64xf32>
    %s = llm.scale %e by 2.5e-01 : tensor<?x64xf32>
    return %s, %kv1 : tensor<?x64xf32>, !kv
  }

  // CHECK-LABEL: func.func @step
  func.func @step(%batch: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x50xf32>, !kv) {
    %zero = arith.constant 0 : index
    %table = llm.get_weight @embedding : tensor<50x64xf16>
    // CHECK: llm.batch.tokens %{{.*}} : (!llm.batch<mixed>) -> tensor<?xi32>
    %tokens = llm.batch.tokens %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    // CHECK: llm.embed %{{.*}}, %{{.*}} : (tensor<?xi32>, tensor<50x64xf16>) -> tensor<?x64xf32>
    %x = llm.embed %tokens, %table : (tensor<?xi32>, tensor<50x64xf16>) -> tensor<?x64xf32>
    // CHECK: call @layer
    %y, %kv1 = func.call @layer(%zero, %x, %batch, %kv) : (index, tensor<?x64xf32>, !llm.batch<mixed>, !kv) -> (tensor<?x64xf32>, !kv)
    // CHECK: llm.logit_rows %{{.*}}, %{{.*}} : (tensor<?x64xf32>, !llm.batch<mixed>) -> tensor<?x64xf32>
    %rows = llm.logit_rows %y, %batch : (tensor<?x64xf32>, !llm.batch<mixed>) -> tensor<?x64xf32>
    // CHECK: llm.fuse features (%[[A:.*]] = %{{.*}}, %[[W:.*]] = %{{.*}}) : (tensor<?x64xf32>, tensor<50x64xf16>) -> tensor<?x50xf32> {
    %logits = llm.fuse features (%a = %rows, %w = %table) : (tensor<?x64xf32>, tensor<50x64xf16>) -> tensor<?x50xf32> {
      // CHECK-NEXT: %[[P:.*]] = llm.linear %[[A]], %[[W]]
      %p = llm.linear %a, %w : (tensor<?x64xf32>, tensor<50x64xf16>) -> tensor<?x50xf32>
      // CHECK-NEXT: %[[C:.*]] = llm.softcap %[[P]] at 3.000000e+01 : tensor<?x50xf32>
      %c = llm.softcap %p at 3.0e+01 : tensor<?x50xf32>
      // CHECK-NEXT: llm.yield %[[C]] : tensor<?x50xf32>
      llm.yield %c : tensor<?x50xf32>
    }
    // A phase without operands and results gets its terminator.
    // CHECK: llm.fuse tokens () : () -> () {
    // CHECK-NEXT: llm.yield
    llm.fuse tokens () : () -> () {
    }
    return %logits, %kv1 : tensor<?x50xf32>, !kv
  }
}
