// Types and attributes survive printing and parsing.
// RUN: llmir-opt %s | llmir-opt | FileCheck %s

// CHECK-LABEL: func.func private @formats
// CHECK-SAME: tensor<2x32x!llm.quant<q4_0>>, tensor<2x32x!llm.quant<q4_1>>, tensor<2x32x!llm.quant<q5_0>>, tensor<2x32x!llm.quant<q5_1>>, tensor<2x32x!llm.quant<q8_0>>
func.func private @formats(tensor<2x32x!llm.quant<q4_0>>, tensor<2x32x!llm.quant<q4_1>>, tensor<2x32x!llm.quant<q5_0>>, tensor<2x32x!llm.quant<q5_1>>, tensor<2x32x!llm.quant<q8_0>>)

// CHECK-LABEL: func.func private @k_formats
// CHECK-SAME: tensor<1x256x!llm.quant<q2_k>>, tensor<1x256x!llm.quant<q3_k>>, tensor<1x256x!llm.quant<q4_k>>, tensor<1x256x!llm.quant<q5_k>>, tensor<1x256x!llm.quant<q6_k>>
func.func private @k_formats(tensor<1x256x!llm.quant<q2_k>>, tensor<1x256x!llm.quant<q3_k>>, tensor<1x256x!llm.quant<q4_k>>, tensor<1x256x!llm.quant<q5_k>>, tensor<1x256x!llm.quant<q6_k>>)

// CHECK-LABEL: func.func private @activations
// CHECK-SAME: tensor<?x64x!llm.quant<a8>>, tensor<?x64x!llm.quant<a16>>
func.func private @activations(tensor<?x64x!llm.quant<a8>>, tensor<?x64x!llm.quant<a16>>)

// CHECK-LABEL: func.func private @batches
// CHECK-SAME: !llm.batch<decode>, !llm.batch<prefill>, !llm.batch<mixed>
func.func private @batches(!llm.batch<decode>, !llm.batch<prefill>, !llm.batch<mixed>)

// CHECK-LABEL: func.func private @caches
// CHECK-SAME: !llm.kv<layers = 30, heads = 3, k_dim = 64, v_dim = 64, block = 16, element = f16>
// CHECK-SAME: !llm.kv<layers = 1, heads = 1, k_dim = 192, v_dim = 128, block = 1024, element = f32>
func.func private @caches(!llm.kv<layers = 30, heads = 3, k_dim = 64, v_dim = 64, block = 16, element = f16>, !llm.kv<layers = 1, heads = 1, k_dim = 192, v_dim = 128, block = 1024, element = f32>)

// CHECK: #llm.rope<style = half, dim = 4, theta = 5.000000e+05 : f64, magnitude = 1.250000e+00 : f64, factors = [1.000000e+00, 8.000000e+00]>
func.func private @attributes() attributes {llm.rotation = #llm.rope<style = half, dim = 4, theta = 5.0e+05 : f64, magnitude = 1.25 : f64, factors = [1.0, 8.0]>}
