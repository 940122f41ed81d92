// The ops of mixtures of experts survive printing and parsing.
// RUN: llmir-opt %s | llmir-opt | FileCheck %s

// CHECK-LABEL: func.func @moe
func.func @moe(%x: tensor<?x64xf32>, %router: tensor<?x8xf32>, %gate: tensor<8x96x64x!llm.quant<q4_0>>, %up: tensor<8x96x64xf16>, %down: tensor<8x64x96x!llm.quant<q8_0>>) -> tensor<?x64xf32> {
  // CHECK: llm.moe silu %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} by softmax %{{.*}} top 2 {renormalise} : (tensor<?x64xf32>, tensor<8x96x64x!llm.quant<q4_0>>, tensor<8x96x64xf16>, tensor<8x64x96x!llm.quant<q8_0>>, tensor<?x8xf32>) -> tensor<?x64xf32>
  %a = llm.moe silu %x, %gate, %up, %down by softmax %router top 2 {renormalise} : (tensor<?x64xf32>, tensor<8x96x64x!llm.quant<q4_0>>, tensor<8x96x64xf16>, tensor<8x64x96x!llm.quant<q8_0>>, tensor<?x8xf32>) -> tensor<?x64xf32>
  // CHECK: llm.moe gelu_tanh %{{.*}} by sigmoid %{{.*}} top 8 {scale = 2.500000e+00 : f64} :
  %b = llm.moe gelu_tanh %a, %gate, %up, %down by sigmoid %router top 8 {scale = 2.5 : f64} : (tensor<?x64xf32>, tensor<8x96x64x!llm.quant<q4_0>>, tensor<8x96x64xf16>, tensor<8x64x96x!llm.quant<q8_0>>, tensor<?x8xf32>) -> tensor<?x64xf32>
  return %b : tensor<?x64xf32>
}

// CHECK-LABEL: func.func @experts
func.func @experts(%x: tensor<?x64xf32>, %router: tensor<?x8xf32>, %gate: tensor<8x96x64x!llm.quant<q4_0>>, %down: tensor<8x64x96x!llm.quant<q8_0>>) -> tensor<?x64xf32> {
  // CHECK: %[[EXPERTS:.*]], %[[WEIGHTS:.*]] = llm.experts.route softmax %{{.*}} {renormalise, scale = 5.000000e-01 : f64} : (tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %experts, %weights = llm.experts.route softmax %router {renormalise, scale = 0.5 : f64} : (tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  // CHECK: %[[ORDER:.*]] = llm.experts.group %[[EXPERTS]] of 8 : tensor<?x2xi32>
  %order = llm.experts.group %experts of 8 : tensor<?x2xi32>
  // CHECK: llm.quantize %{{.*}} : (tensor<?x64xf32>) -> tensor<?x64x!llm.quant<a8>>
  %q = llm.quantize %x : (tensor<?x64xf32>) -> tensor<?x64x!llm.quant<a8>>
  // CHECK: %[[G:.*]] = llm.experts.linear %{{.*}}, %{{.*}}, %[[EXPERTS]], %[[ORDER]] : (tensor<?x64x!llm.quant<a8>>, tensor<8x96x64x!llm.quant<q4_0>>, tensor<?x2xi32>, tensor<?x2xi32>) -> tensor<?x2x96xf32>
  %g = llm.experts.linear %q, %gate, %experts, %order : (tensor<?x64x!llm.quant<a8>>, tensor<8x96x64x!llm.quant<q4_0>>, tensor<?x2xi32>, tensor<?x2xi32>) -> tensor<?x2x96xf32>
  // CHECK: llm.glu silu %[[G]], %[[G]] : tensor<?x2x96xf32>
  %h = llm.glu silu %g, %g : tensor<?x2x96xf32>
  // CHECK: llm.quantize %{{.*}} : (tensor<?x2x96xf32>) -> tensor<?x2x96x!llm.quant<a16>>
  %r = llm.quantize %h : (tensor<?x2x96xf32>) -> tensor<?x2x96x!llm.quant<a16>>
  // CHECK: llm.experts.linear %{{.*}} : (tensor<?x2x96x!llm.quant<a16>>, tensor<8x64x96x!llm.quant<q8_0>>, tensor<?x2xi32>, tensor<?x2xi32>) -> tensor<?x2x64xf32>
  %d = llm.experts.linear %r, %down, %experts, %order : (tensor<?x2x96x!llm.quant<a16>>, tensor<8x64x96x!llm.quant<q8_0>>, tensor<?x2xi32>, tensor<?x2xi32>) -> tensor<?x2x64xf32>
  // CHECK: llm.experts.combine %{{.*}}, %[[WEIGHTS]] : (tensor<?x2x64xf32>, tensor<?x2xf32>) -> tensor<?x64xf32>
  %y = llm.experts.combine %d, %weights : (tensor<?x2x64xf32>, tensor<?x2xf32>) -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}
