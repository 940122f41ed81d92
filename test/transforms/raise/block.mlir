// A whole block: RMS norms, RoPE on neighbouring columns, SwiGLU written out, residual sums.
// RUN: llmir-opt %s --pass-pipeline='builtin.module(llm.graph(llm-raise))' | FileCheck %s
// RUN: sed 's/constant 3.200000e+01/constant 3.100000e+01/' %s | not llmir-opt --pass-pipeline='builtin.module(llm.graph(llm-raise))' 2>&1 | FileCheck %s --check-prefix=MEAN
// MEAN: error: cannot be raised to llm ops: a division by the root of a sum of squares that is no mean over 32 columns
// CHECK: llm.rms_norm %arg1, %{{.*}} {eps = {{.*}} : f64}
// CHECK-COUNT-2: llm.rope {{.*}} {head_dim = 8 : i64, rope = #llm.rope<style = interleaved, dim = 8, theta = 1.000000e+04 : f64, magnitude = 1.000000e+00 : f64, factors = []>}
// CHECK: llm.dense_attention
// CHECK: arith.addf
// CHECK: llm.rms_norm
// CHECK: llm.glu silu
// CHECK: arith.addf
// CHECK-NEXT: return
// CHECK-NOT: linalg
#map = affine_map<(d0) -> (d0)>
#map1 = affine_map<(d0, d1) -> (d0, d1)>
#map2 = affine_map<(d0, d1) -> (d0, 0)>
#map3 = affine_map<(d0, d1) -> (0, d1)>
#map4 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map5 = affine_map<(d0, d1, d2) -> (d0, d1)>
#map6 = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
#map7 = affine_map<(d0, d1, d2) -> (d2)>
#map8 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
#map9 = affine_map<(d0, d1, d2, d3) -> (d2, d3)>
#map10 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map11 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map12 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, 0, d3, d4)>
#map13 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
#map14 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>
#map15 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d4, d3)>
#map16 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>
#map17 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
module {
  llm.graph @forward_graph attributes {source = "block_pairs.pt2"} {
    llm.weight @q.weight : tensor<32x32xf32> from "q.weight"
    llm.weight @k.weight : tensor<16x32xf32> from "k.weight"
    llm.weight @v.weight : tensor<16x32xf32> from "v.weight"
    llm.weight @o.weight : tensor<32x32xf32> from "o.weight"
    llm.weight @norm1.weight : tensor<32xf32> from "norm1.weight"
    llm.weight @norm2.weight : tensor<32xf32> from "norm2.weight"
    llm.weight @gate.weight : tensor<64x32xf32> from "gate.weight"
    llm.weight @up.weight : tensor<64x32xf32> from "up.weight"
    llm.weight @down.weight : tensor<32x64xf32> from "down.weight"
    func.func @forward(%arg0: tensor<1x?x32xf32>) -> tensor<1x?x32xf32> {
      %c1 = arith.constant 1 : index
      %dim = tensor.dim %arg0, %c1 : tensor<1x?x32xf32>
      %0 = llm.get_weight @q.weight : tensor<32x32xf32>
      %1 = llm.get_weight @k.weight : tensor<16x32xf32>
      %2 = llm.get_weight @v.weight : tensor<16x32xf32>
      %3 = llm.get_weight @o.weight : tensor<32x32xf32>
      %4 = llm.get_weight @norm1.weight : tensor<32xf32>
      %5 = llm.get_weight @norm2.weight : tensor<32xf32>
      %6 = llm.get_weight @gate.weight : tensor<64x32xf32>
      %7 = llm.get_weight @up.weight : tensor<64x32xf32>
      %8 = llm.get_weight @down.weight : tensor<32x64xf32>
      %cst = arith.constant dense<[1.000000e+00, 1.000000e-01, 0.00999999977, 1.000000e-03]> : tensor<4xf32>
      %9 = tensor.empty(%dim) : tensor<?xi64>
      %10 = linalg.generic {indexing_maps = [#map], iterator_types = ["parallel"]} outs(%9 : tensor<?xi64>) {
      ^bb0(%out: i64):
        %139 = linalg.index 0 : index
        %140 = arith.index_cast %139 : index to i64
        linalg.yield %140 : i64
      } -> tensor<?xi64>
      %expanded = tensor.expand_shape %10 [[0, 1]] output_shape [%dim, 1] : tensor<?xi64> into tensor<?x1xi64>
      %11 = tensor.empty(%dim) : tensor<?x1xf32>
      %12 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel"]} ins(%expanded : tensor<?x1xi64>) outs(%11 : tensor<?x1xf32>) {
      ^bb0(%in: i64, %out: f32):
        %139 = arith.sitofp %in : i64 to f32
        linalg.yield %139 : f32
      } -> tensor<?x1xf32>
      %expanded_0 = tensor.expand_shape %cst [[0, 1]] output_shape [1, 4] : tensor<4xf32> into tensor<1x4xf32>
      %13 = tensor.empty(%dim) : tensor<?x4xf32>
      %14 = linalg.generic {indexing_maps = [#map2, #map3, #map1], iterator_types = ["parallel", "parallel"]} ins(%12, %expanded_0 : tensor<?x1xf32>, tensor<1x4xf32>) outs(%13 : tensor<?x4xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.mulf %in, %in_40 : f32
        linalg.yield %139 : f32
      } -> tensor<?x4xf32>
      %15 = tensor.empty(%dim) : tensor<?x4xf32>
      %16 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel"]} ins(%14 : tensor<?x4xf32>) outs(%15 : tensor<?x4xf32>) {
      ^bb0(%in: f32, %out: f32):
        %139 = math.cos %in : f32
        linalg.yield %139 : f32
      } -> tensor<?x4xf32>
      %17 = tensor.empty(%dim) : tensor<?x4xf32>
      %18 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel"]} ins(%14 : tensor<?x4xf32>) outs(%17 : tensor<?x4xf32>) {
      ^bb0(%in: f32, %out: f32):
        %139 = math.sin %in : f32
        linalg.yield %139 : f32
      } -> tensor<?x4xf32>
      %19 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %20 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%arg0 : tensor<1x?x32xf32>) outs(%19 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %out: f32):
        %139 = arith.mulf %in, %in : f32
        linalg.yield %139 : f32
      } -> tensor<1x?x32xf32>
      %21 = tensor.empty(%dim) : tensor<1x?xf32>
      %cst_1 = arith.constant 0.000000e+00 : f32
      %22 = linalg.fill ins(%cst_1 : f32) outs(%21 : tensor<1x?xf32>) -> tensor<1x?xf32>
      %23 = linalg.generic {indexing_maps = [#map4, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%20 : tensor<1x?x32xf32>) outs(%22 : tensor<1x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %139 = arith.addf %in, %out : f32
        linalg.yield %139 : f32
      } -> tensor<1x?xf32>
      %expanded_2 = tensor.expand_shape %23 [[0], [1, 2]] output_shape [1, %dim, 1] : tensor<1x?xf32> into tensor<1x?x1xf32>
      %24 = tensor.empty(%dim) : tensor<1x?x1xf32>
      %25 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_2 : tensor<1x?x1xf32>) outs(%24 : tensor<1x?x1xf32>) {
      ^bb0(%in: f32, %out: f32):
        %cst_40 = arith.constant 3.200000e+01 : f32
        %139 = arith.divf %in, %cst_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x?x1xf32>
      %26 = tensor.empty(%dim) : tensor<1x?x1xf32>
      %27 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%25 : tensor<1x?x1xf32>) outs(%26 : tensor<1x?x1xf32>) {
      ^bb0(%in: f32, %out: f32):
        %cst_40 = arith.constant 9.99999974E-6 : f32
        %139 = arith.addf %in, %cst_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x?x1xf32>
      %28 = tensor.empty(%dim) : tensor<1x?x1xf32>
      %29 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%27 : tensor<1x?x1xf32>) outs(%28 : tensor<1x?x1xf32>) {
      ^bb0(%in: f32, %out: f32):
        %139 = math.rsqrt %in : f32
        linalg.yield %139 : f32
      } -> tensor<1x?x1xf32>
      %30 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %31 = linalg.generic {indexing_maps = [#map4, #map6, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%arg0, %29 : tensor<1x?x32xf32>, tensor<1x?x1xf32>) outs(%30 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.mulf %in, %in_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x?x32xf32>
      %32 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %33 = linalg.generic {indexing_maps = [#map7, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%4, %31 : tensor<32xf32>, tensor<1x?x32xf32>) outs(%32 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.mulf %in, %in_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x?x32xf32>
      %34 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %cst_3 = arith.constant 0.000000e+00 : f32
      %35 = linalg.fill ins(%cst_3 : f32) outs(%34 : tensor<1x?x32xf32>) -> tensor<1x?x32xf32>
      %36 = linalg.generic {indexing_maps = [#map8, #map9, #map10], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%33, %0 : tensor<1x?x32xf32>, tensor<32x32xf32>) outs(%35 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.mulf %in, %in_40 : f32
        %140 = arith.addf %out, %139 : f32
        linalg.yield %140 : f32
      } -> tensor<1x?x32xf32>
      %expanded_4 = tensor.expand_shape %36 [[0], [1], [2, 3]] output_shape [1, %dim, 4, 8] : tensor<1x?x32xf32> into tensor<1x?x4x8xf32>
      %37 = tensor.empty(%dim) : tensor<1x4x?x8xf32>
      %transposed = linalg.transpose ins(%expanded_4 : tensor<1x?x4x8xf32>) outs(%37 : tensor<1x4x?x8xf32>) permutation = [0, 2, 1, 3] 
      %38 = tensor.empty(%dim) : tensor<1x?x16xf32>
      %cst_5 = arith.constant 0.000000e+00 : f32
      %39 = linalg.fill ins(%cst_5 : f32) outs(%38 : tensor<1x?x16xf32>) -> tensor<1x?x16xf32>
      %40 = linalg.generic {indexing_maps = [#map8, #map9, #map10], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%33, %1 : tensor<1x?x32xf32>, tensor<16x32xf32>) outs(%39 : tensor<1x?x16xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.mulf %in, %in_40 : f32
        %140 = arith.addf %out, %139 : f32
        linalg.yield %140 : f32
      } -> tensor<1x?x16xf32>
      %expanded_6 = tensor.expand_shape %40 [[0], [1], [2, 3]] output_shape [1, %dim, 2, 8] : tensor<1x?x16xf32> into tensor<1x?x2x8xf32>
      %41 = tensor.empty(%dim) : tensor<1x2x?x8xf32>
      %transposed_7 = linalg.transpose ins(%expanded_6 : tensor<1x?x2x8xf32>) outs(%41 : tensor<1x2x?x8xf32>) permutation = [0, 2, 1, 3] 
      %42 = tensor.empty(%dim) : tensor<1x?x16xf32>
      %cst_8 = arith.constant 0.000000e+00 : f32
      %43 = linalg.fill ins(%cst_8 : f32) outs(%42 : tensor<1x?x16xf32>) -> tensor<1x?x16xf32>
      %44 = linalg.generic {indexing_maps = [#map8, #map9, #map10], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%33, %2 : tensor<1x?x32xf32>, tensor<16x32xf32>) outs(%43 : tensor<1x?x16xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.mulf %in, %in_40 : f32
        %140 = arith.addf %out, %139 : f32
        linalg.yield %140 : f32
      } -> tensor<1x?x16xf32>
      %expanded_9 = tensor.expand_shape %44 [[0], [1], [2, 3]] output_shape [1, %dim, 2, 8] : tensor<1x?x16xf32> into tensor<1x?x2x8xf32>
      %45 = tensor.empty(%dim) : tensor<1x2x?x8xf32>
      %transposed_10 = linalg.transpose ins(%expanded_9 : tensor<1x?x2x8xf32>) outs(%45 : tensor<1x2x?x8xf32>) permutation = [0, 2, 1, 3] 
      %extracted_slice = tensor.extract_slice %transposed[0, 0, 0, 0] [1, 4, %dim, 4] [1, 1, 1, 2] : tensor<1x4x?x8xf32> to tensor<1x4x?x4xf32>
      %extracted_slice_11 = tensor.extract_slice %transposed[0, 0, 0, 1] [1, 4, %dim, 4] [1, 1, 1, 2] : tensor<1x4x?x8xf32> to tensor<1x4x?x4xf32>
      %46 = tensor.empty(%dim) : tensor<1x4x?x4xf32>
      %47 = linalg.generic {indexing_maps = [#map11, #map9, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%extracted_slice, %16 : tensor<1x4x?x4xf32>, tensor<?x4xf32>) outs(%46 : tensor<1x4x?x4xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.mulf %in, %in_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x4x?x4xf32>
      %48 = tensor.empty(%dim) : tensor<1x4x?x4xf32>
      %49 = linalg.generic {indexing_maps = [#map11, #map9, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%extracted_slice_11, %18 : tensor<1x4x?x4xf32>, tensor<?x4xf32>) outs(%48 : tensor<1x4x?x4xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.mulf %in, %in_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x4x?x4xf32>
      %50 = tensor.empty(%dim) : tensor<1x4x?x4xf32>
      %51 = linalg.generic {indexing_maps = [#map11, #map11, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%47, %49 : tensor<1x4x?x4xf32>, tensor<1x4x?x4xf32>) outs(%50 : tensor<1x4x?x4xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.subf %in, %in_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x4x?x4xf32>
      %52 = tensor.empty(%dim) : tensor<1x4x?x4xf32>
      %53 = linalg.generic {indexing_maps = [#map11, #map9, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%extracted_slice, %18 : tensor<1x4x?x4xf32>, tensor<?x4xf32>) outs(%52 : tensor<1x4x?x4xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.mulf %in, %in_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x4x?x4xf32>
      %54 = tensor.empty(%dim) : tensor<1x4x?x4xf32>
      %55 = linalg.generic {indexing_maps = [#map11, #map9, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%extracted_slice_11, %16 : tensor<1x4x?x4xf32>, tensor<?x4xf32>) outs(%54 : tensor<1x4x?x4xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.mulf %in, %in_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x4x?x4xf32>
      %56 = tensor.empty(%dim) : tensor<1x4x?x4xf32>
      %57 = linalg.generic {indexing_maps = [#map11, #map11, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%53, %55 : tensor<1x4x?x4xf32>, tensor<1x4x?x4xf32>) outs(%56 : tensor<1x4x?x4xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.addf %in, %in_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x4x?x4xf32>
      %expanded_12 = tensor.expand_shape %51 [[0], [1], [2], [3, 4]] output_shape [1, 4, %dim, 4, 1] : tensor<1x4x?x4xf32> into tensor<1x4x?x4x1xf32>
      %expanded_13 = tensor.expand_shape %57 [[0], [1], [2], [3, 4]] output_shape [1, 4, %dim, 4, 1] : tensor<1x4x?x4xf32> into tensor<1x4x?x4x1xf32>
      %concat = tensor.concat dim(4) %expanded_12, %expanded_13 : (tensor<1x4x?x4x1xf32>, tensor<1x4x?x4x1xf32>) -> tensor<1x4x?x4x2xf32>
      %collapsed = tensor.collapse_shape %concat [[0], [1], [2], [3, 4]] : tensor<1x4x?x4x2xf32> into tensor<1x4x?x8xf32>
      %extracted_slice_14 = tensor.extract_slice %transposed_7[0, 0, 0, 0] [1, 2, %dim, 4] [1, 1, 1, 2] : tensor<1x2x?x8xf32> to tensor<1x2x?x4xf32>
      %extracted_slice_15 = tensor.extract_slice %transposed_7[0, 0, 0, 1] [1, 2, %dim, 4] [1, 1, 1, 2] : tensor<1x2x?x8xf32> to tensor<1x2x?x4xf32>
      %58 = tensor.empty(%dim) : tensor<1x2x?x4xf32>
      %59 = linalg.generic {indexing_maps = [#map11, #map9, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%extracted_slice_14, %16 : tensor<1x2x?x4xf32>, tensor<?x4xf32>) outs(%58 : tensor<1x2x?x4xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.mulf %in, %in_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x2x?x4xf32>
      %60 = tensor.empty(%dim) : tensor<1x2x?x4xf32>
      %61 = linalg.generic {indexing_maps = [#map11, #map9, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%extracted_slice_15, %18 : tensor<1x2x?x4xf32>, tensor<?x4xf32>) outs(%60 : tensor<1x2x?x4xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.mulf %in, %in_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x2x?x4xf32>
      %62 = tensor.empty(%dim) : tensor<1x2x?x4xf32>
      %63 = linalg.generic {indexing_maps = [#map11, #map11, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%59, %61 : tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) outs(%62 : tensor<1x2x?x4xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.subf %in, %in_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x2x?x4xf32>
      %64 = tensor.empty(%dim) : tensor<1x2x?x4xf32>
      %65 = linalg.generic {indexing_maps = [#map11, #map9, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%extracted_slice_14, %18 : tensor<1x2x?x4xf32>, tensor<?x4xf32>) outs(%64 : tensor<1x2x?x4xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.mulf %in, %in_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x2x?x4xf32>
      %66 = tensor.empty(%dim) : tensor<1x2x?x4xf32>
      %67 = linalg.generic {indexing_maps = [#map11, #map9, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%extracted_slice_15, %16 : tensor<1x2x?x4xf32>, tensor<?x4xf32>) outs(%66 : tensor<1x2x?x4xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.mulf %in, %in_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x2x?x4xf32>
      %68 = tensor.empty(%dim) : tensor<1x2x?x4xf32>
      %69 = linalg.generic {indexing_maps = [#map11, #map11, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%65, %67 : tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) outs(%68 : tensor<1x2x?x4xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.addf %in, %in_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x2x?x4xf32>
      %expanded_16 = tensor.expand_shape %63 [[0], [1], [2], [3, 4]] output_shape [1, 2, %dim, 4, 1] : tensor<1x2x?x4xf32> into tensor<1x2x?x4x1xf32>
      %expanded_17 = tensor.expand_shape %69 [[0], [1], [2], [3, 4]] output_shape [1, 2, %dim, 4, 1] : tensor<1x2x?x4xf32> into tensor<1x2x?x4x1xf32>
      %concat_18 = tensor.concat dim(4) %expanded_16, %expanded_17 : (tensor<1x2x?x4x1xf32>, tensor<1x2x?x4x1xf32>) -> tensor<1x2x?x4x2xf32>
      %collapsed_19 = tensor.collapse_shape %concat_18 [[0], [1], [2], [3, 4]] : tensor<1x2x?x4x2xf32> into tensor<1x2x?x8xf32>
      %expanded_20 = tensor.expand_shape %collapsed_19 [[0], [1], [2, 3], [4]] output_shape [1, 2, 1, %dim, 8] : tensor<1x2x?x8xf32> into tensor<1x2x1x?x8xf32>
      %70 = tensor.empty(%dim) : tensor<1x2x2x?x8xf32>
      %71 = linalg.generic {indexing_maps = [#map12, #map13], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%expanded_20 : tensor<1x2x1x?x8xf32>) outs(%70 : tensor<1x2x2x?x8xf32>) {
      ^bb0(%in: f32, %out: f32):
        linalg.yield %in : f32
      } -> tensor<1x2x2x?x8xf32>
      %collapsed_21 = tensor.collapse_shape %71 [[0], [1, 2], [3], [4]] : tensor<1x2x2x?x8xf32> into tensor<1x4x?x8xf32>
      %expanded_22 = tensor.expand_shape %transposed_10 [[0], [1], [2, 3], [4]] output_shape [1, 2, 1, %dim, 8] : tensor<1x2x?x8xf32> into tensor<1x2x1x?x8xf32>
      %72 = tensor.empty(%dim) : tensor<1x2x2x?x8xf32>
      %73 = linalg.generic {indexing_maps = [#map12, #map13], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%expanded_22 : tensor<1x2x1x?x8xf32>) outs(%72 : tensor<1x2x2x?x8xf32>) {
      ^bb0(%in: f32, %out: f32):
        linalg.yield %in : f32
      } -> tensor<1x2x2x?x8xf32>
      %collapsed_23 = tensor.collapse_shape %73 [[0], [1, 2], [3], [4]] : tensor<1x2x2x?x8xf32> into tensor<1x4x?x8xf32>
      %74 = tensor.empty(%dim) : tensor<1x4x8x?xf32>
      %transposed_24 = linalg.transpose ins(%collapsed_21 : tensor<1x4x?x8xf32>) outs(%74 : tensor<1x4x8x?xf32>) permutation = [0, 1, 3, 2] 
      %75 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %cst_25 = arith.constant 0.000000e+00 : f32
      %76 = linalg.fill ins(%cst_25 : f32) outs(%75 : tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
      %77 = linalg.generic {indexing_maps = [#map14, #map15, #map16], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%collapsed, %transposed_24 : tensor<1x4x?x8xf32>, tensor<1x4x8x?xf32>) outs(%76 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.mulf %in, %in_40 : f32
        %140 = arith.addf %out, %139 : f32
        linalg.yield %140 : f32
      } -> tensor<1x4x?x?xf32>
      %78 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %79 = linalg.generic {indexing_maps = [#map11, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%77 : tensor<1x4x?x?xf32>) outs(%78 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %cst_40 = arith.constant 0.353553385 : f32
        %139 = arith.mulf %in, %cst_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x4x?x?xf32>
      %80 = tensor.empty(%dim, %dim) : tensor<?x?xf32>
      %cst_26 = arith.constant 0xFF800000 : f32
      %81 = linalg.fill ins(%cst_26 : f32) outs(%80 : tensor<?x?xf32>) -> tensor<?x?xf32>
      %82 = tensor.empty(%dim, %dim) : tensor<?x?xf32>
      %83 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel"]} ins(%81 : tensor<?x?xf32>) outs(%82 : tensor<?x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %139 = linalg.index 0 : index
        %140 = arith.index_cast %139 : index to i64
        %141 = linalg.index 1 : index
        %142 = arith.index_cast %141 : index to i64
        %c1_i64 = arith.constant 1 : i64
        %143 = arith.addi %140, %c1_i64 : i64
        %144 = arith.cmpi sge, %142, %143 : i64
        %cst_40 = arith.constant 0.000000e+00 : f32
        %145 = arith.select %144, %in, %cst_40 : f32
        linalg.yield %145 : f32
      } -> tensor<?x?xf32>
      %84 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %85 = linalg.generic {indexing_maps = [#map11, #map9, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%79, %83 : tensor<1x4x?x?xf32>, tensor<?x?xf32>) outs(%84 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.addf %in, %in_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x4x?x?xf32>
      %86 = tensor.empty(%dim) : tensor<1x4x?xf32>
      %cst_27 = arith.constant 0xFF800000 : f32
      %87 = linalg.fill ins(%cst_27 : f32) outs(%86 : tensor<1x4x?xf32>) -> tensor<1x4x?xf32>
      %88 = linalg.generic {indexing_maps = [#map11, #map10], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%85 : tensor<1x4x?x?xf32>) outs(%87 : tensor<1x4x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %139 = arith.maximumf %in, %out : f32
        linalg.yield %139 : f32
      } -> tensor<1x4x?xf32>
      %expanded_28 = tensor.expand_shape %88 [[0], [1], [2, 3]] output_shape [1, 4, %dim, 1] : tensor<1x4x?xf32> into tensor<1x4x?x1xf32>
      %89 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %90 = linalg.generic {indexing_maps = [#map11, #map17, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%85, %expanded_28 : tensor<1x4x?x?xf32>, tensor<1x4x?x1xf32>) outs(%89 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.subf %in, %in_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x4x?x?xf32>
      %91 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %92 = linalg.generic {indexing_maps = [#map11, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%90 : tensor<1x4x?x?xf32>) outs(%91 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %139 = math.exp %in : f32
        linalg.yield %139 : f32
      } -> tensor<1x4x?x?xf32>
      %93 = tensor.empty(%dim) : tensor<1x4x?xf32>
      %cst_29 = arith.constant 0.000000e+00 : f32
      %94 = linalg.fill ins(%cst_29 : f32) outs(%93 : tensor<1x4x?xf32>) -> tensor<1x4x?xf32>
      %95 = linalg.generic {indexing_maps = [#map11, #map10], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%92 : tensor<1x4x?x?xf32>) outs(%94 : tensor<1x4x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %139 = arith.addf %in, %out : f32
        linalg.yield %139 : f32
      } -> tensor<1x4x?xf32>
      %expanded_30 = tensor.expand_shape %95 [[0], [1], [2, 3]] output_shape [1, 4, %dim, 1] : tensor<1x4x?xf32> into tensor<1x4x?x1xf32>
      %96 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %97 = linalg.generic {indexing_maps = [#map11, #map17, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%92, %expanded_30 : tensor<1x4x?x?xf32>, tensor<1x4x?x1xf32>) outs(%96 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.divf %in, %in_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x4x?x?xf32>
      %98 = tensor.empty(%dim) : tensor<1x4x?x8xf32>
      %cst_31 = arith.constant 0.000000e+00 : f32
      %99 = linalg.fill ins(%cst_31 : f32) outs(%98 : tensor<1x4x?x8xf32>) -> tensor<1x4x?x8xf32>
      %100 = linalg.generic {indexing_maps = [#map14, #map15, #map16], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%97, %collapsed_23 : tensor<1x4x?x?xf32>, tensor<1x4x?x8xf32>) outs(%99 : tensor<1x4x?x8xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.mulf %in, %in_40 : f32
        %140 = arith.addf %out, %139 : f32
        linalg.yield %140 : f32
      } -> tensor<1x4x?x8xf32>
      %101 = tensor.empty(%dim) : tensor<1x?x4x8xf32>
      %transposed_32 = linalg.transpose ins(%100 : tensor<1x4x?x8xf32>) outs(%101 : tensor<1x?x4x8xf32>) permutation = [0, 2, 1, 3] 
      %collapsed_33 = tensor.collapse_shape %transposed_32 [[0], [1], [2, 3]] : tensor<1x?x4x8xf32> into tensor<1x?x32xf32>
      %102 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %cst_34 = arith.constant 0.000000e+00 : f32
      %103 = linalg.fill ins(%cst_34 : f32) outs(%102 : tensor<1x?x32xf32>) -> tensor<1x?x32xf32>
      %104 = linalg.generic {indexing_maps = [#map8, #map9, #map10], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%collapsed_33, %3 : tensor<1x?x32xf32>, tensor<32x32xf32>) outs(%103 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.mulf %in, %in_40 : f32
        %140 = arith.addf %out, %139 : f32
        linalg.yield %140 : f32
      } -> tensor<1x?x32xf32>
      %105 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %106 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%arg0, %104 : tensor<1x?x32xf32>, tensor<1x?x32xf32>) outs(%105 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.addf %in, %in_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x?x32xf32>
      %107 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %108 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%106 : tensor<1x?x32xf32>) outs(%107 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %out: f32):
        %139 = arith.mulf %in, %in : f32
        linalg.yield %139 : f32
      } -> tensor<1x?x32xf32>
      %109 = tensor.empty(%dim) : tensor<1x?xf32>
      %cst_35 = arith.constant 0.000000e+00 : f32
      %110 = linalg.fill ins(%cst_35 : f32) outs(%109 : tensor<1x?xf32>) -> tensor<1x?xf32>
      %111 = linalg.generic {indexing_maps = [#map4, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%108 : tensor<1x?x32xf32>) outs(%110 : tensor<1x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %139 = arith.addf %in, %out : f32
        linalg.yield %139 : f32
      } -> tensor<1x?xf32>
      %expanded_36 = tensor.expand_shape %111 [[0], [1, 2]] output_shape [1, %dim, 1] : tensor<1x?xf32> into tensor<1x?x1xf32>
      %112 = tensor.empty(%dim) : tensor<1x?x1xf32>
      %113 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_36 : tensor<1x?x1xf32>) outs(%112 : tensor<1x?x1xf32>) {
      ^bb0(%in: f32, %out: f32):
        %cst_40 = arith.constant 3.200000e+01 : f32
        %139 = arith.divf %in, %cst_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x?x1xf32>
      %114 = tensor.empty(%dim) : tensor<1x?x1xf32>
      %115 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%113 : tensor<1x?x1xf32>) outs(%114 : tensor<1x?x1xf32>) {
      ^bb0(%in: f32, %out: f32):
        %cst_40 = arith.constant 9.99999974E-6 : f32
        %139 = arith.addf %in, %cst_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x?x1xf32>
      %116 = tensor.empty(%dim) : tensor<1x?x1xf32>
      %117 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%115 : tensor<1x?x1xf32>) outs(%116 : tensor<1x?x1xf32>) {
      ^bb0(%in: f32, %out: f32):
        %139 = math.rsqrt %in : f32
        linalg.yield %139 : f32
      } -> tensor<1x?x1xf32>
      %118 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %119 = linalg.generic {indexing_maps = [#map4, #map6, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%106, %117 : tensor<1x?x32xf32>, tensor<1x?x1xf32>) outs(%118 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.mulf %in, %in_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x?x32xf32>
      %120 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %121 = linalg.generic {indexing_maps = [#map7, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%5, %119 : tensor<32xf32>, tensor<1x?x32xf32>) outs(%120 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.mulf %in, %in_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x?x32xf32>
      %122 = tensor.empty(%dim) : tensor<1x?x64xf32>
      %cst_37 = arith.constant 0.000000e+00 : f32
      %123 = linalg.fill ins(%cst_37 : f32) outs(%122 : tensor<1x?x64xf32>) -> tensor<1x?x64xf32>
      %124 = linalg.generic {indexing_maps = [#map8, #map9, #map10], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%121, %6 : tensor<1x?x32xf32>, tensor<64x32xf32>) outs(%123 : tensor<1x?x64xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.mulf %in, %in_40 : f32
        %140 = arith.addf %out, %139 : f32
        linalg.yield %140 : f32
      } -> tensor<1x?x64xf32>
      %125 = tensor.empty(%dim) : tensor<1x?x64xf32>
      %cst_38 = arith.constant 0.000000e+00 : f32
      %126 = linalg.fill ins(%cst_38 : f32) outs(%125 : tensor<1x?x64xf32>) -> tensor<1x?x64xf32>
      %127 = linalg.generic {indexing_maps = [#map8, #map9, #map10], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%121, %7 : tensor<1x?x32xf32>, tensor<64x32xf32>) outs(%126 : tensor<1x?x64xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.mulf %in, %in_40 : f32
        %140 = arith.addf %out, %139 : f32
        linalg.yield %140 : f32
      } -> tensor<1x?x64xf32>
      %128 = tensor.empty(%dim) : tensor<1x?x64xf32>
      %129 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%124 : tensor<1x?x64xf32>) outs(%128 : tensor<1x?x64xf32>) {
      ^bb0(%in: f32, %out: f32):
        %cst_40 = arith.constant 1.000000e+00 : f32
        %139 = arith.negf %in : f32
        %140 = math.exp %139 : f32
        %141 = arith.addf %cst_40, %140 : f32
        %142 = arith.divf %cst_40, %141 : f32
        linalg.yield %142 : f32
      } -> tensor<1x?x64xf32>
      %130 = tensor.empty(%dim) : tensor<1x?x64xf32>
      %131 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%124, %129 : tensor<1x?x64xf32>, tensor<1x?x64xf32>) outs(%130 : tensor<1x?x64xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.mulf %in, %in_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x?x64xf32>
      %132 = tensor.empty(%dim) : tensor<1x?x64xf32>
      %133 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%131, %127 : tensor<1x?x64xf32>, tensor<1x?x64xf32>) outs(%132 : tensor<1x?x64xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.mulf %in, %in_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x?x64xf32>
      %134 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %cst_39 = arith.constant 0.000000e+00 : f32
      %135 = linalg.fill ins(%cst_39 : f32) outs(%134 : tensor<1x?x32xf32>) -> tensor<1x?x32xf32>
      %136 = linalg.generic {indexing_maps = [#map8, #map9, #map10], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%133, %8 : tensor<1x?x64xf32>, tensor<32x64xf32>) outs(%135 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.mulf %in, %in_40 : f32
        %140 = arith.addf %out, %139 : f32
        linalg.yield %140 : f32
      } -> tensor<1x?x32xf32>
      %137 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %138 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%106, %136 : tensor<1x?x32xf32>, tensor<1x?x32xf32>) outs(%137 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_40: f32, %out: f32):
        %139 = arith.addf %in, %in_40 : f32
        linalg.yield %139 : f32
      } -> tensor<1x?x32xf32>
      return %138 : tensor<1x?x32xf32>
    }
  }
}
