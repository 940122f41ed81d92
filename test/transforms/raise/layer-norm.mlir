// Layer norms with biases, and GeGLU written out.
// RUN: llmir-opt %s --pass-pipeline='builtin.module(llm.graph(llm-raise))' | FileCheck %s
// CHECK: llm.layer_norm %arg1, %{{.*}} bias %{{.*}} {eps = {{.*}} : f64}
// CHECK: llm.glu gelu_tanh
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
  llm.graph @forward_graph attributes {source = "block_layer_norm.pt2"} {
    llm.weight @q.weight : tensor<32x32xf32> from "q.weight"
    llm.weight @k.weight : tensor<16x32xf32> from "k.weight"
    llm.weight @v.weight : tensor<16x32xf32> from "v.weight"
    llm.weight @o.weight : tensor<32x32xf32> from "o.weight"
    llm.weight @norm1.weight : tensor<32xf32> from "norm1.weight"
    llm.weight @norm1.bias : tensor<32xf32> from "norm1.bias"
    llm.weight @norm2.weight : tensor<32xf32> from "norm2.weight"
    llm.weight @norm2.bias : tensor<32xf32> from "norm2.bias"
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
      %5 = llm.get_weight @norm1.bias : tensor<32xf32>
      %6 = llm.get_weight @norm2.weight : tensor<32xf32>
      %7 = llm.get_weight @norm2.bias : tensor<32xf32>
      %8 = llm.get_weight @gate.weight : tensor<64x32xf32>
      %9 = llm.get_weight @up.weight : tensor<64x32xf32>
      %10 = llm.get_weight @down.weight : tensor<32x64xf32>
      %cst = arith.constant dense<[1.000000e+00, 1.000000e-01, 0.00999999977, 1.000000e-03]> : tensor<4xf32>
      %11 = tensor.empty(%dim) : tensor<?xi64>
      %12 = linalg.generic {indexing_maps = [#map], iterator_types = ["parallel"]} outs(%11 : tensor<?xi64>) {
      ^bb0(%out: i64):
        %167 = linalg.index 0 : index
        %168 = arith.index_cast %167 : index to i64
        linalg.yield %168 : i64
      } -> tensor<?xi64>
      %expanded = tensor.expand_shape %12 [[0, 1]] output_shape [%dim, 1] : tensor<?xi64> into tensor<?x1xi64>
      %13 = tensor.empty(%dim) : tensor<?x1xf32>
      %14 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel"]} ins(%expanded : tensor<?x1xi64>) outs(%13 : tensor<?x1xf32>) {
      ^bb0(%in: i64, %out: f32):
        %167 = arith.sitofp %in : i64 to f32
        linalg.yield %167 : f32
      } -> tensor<?x1xf32>
      %expanded_0 = tensor.expand_shape %cst [[0, 1]] output_shape [1, 4] : tensor<4xf32> into tensor<1x4xf32>
      %15 = tensor.empty(%dim) : tensor<?x4xf32>
      %16 = linalg.generic {indexing_maps = [#map2, #map3, #map1], iterator_types = ["parallel", "parallel"]} ins(%14, %expanded_0 : tensor<?x1xf32>, tensor<1x4xf32>) outs(%15 : tensor<?x4xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.mulf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<?x4xf32>
      %17 = tensor.empty(%dim) : tensor<?x4xf32>
      %18 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel"]} ins(%16 : tensor<?x4xf32>) outs(%17 : tensor<?x4xf32>) {
      ^bb0(%in: f32, %out: f32):
        %167 = math.cos %in : f32
        linalg.yield %167 : f32
      } -> tensor<?x4xf32>
      %19 = tensor.empty(%dim) : tensor<?x4xf32>
      %20 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel"]} ins(%16 : tensor<?x4xf32>) outs(%19 : tensor<?x4xf32>) {
      ^bb0(%in: f32, %out: f32):
        %167 = math.sin %in : f32
        linalg.yield %167 : f32
      } -> tensor<?x4xf32>
      %21 = tensor.empty(%dim) : tensor<1x?xf32>
      %cst_1 = arith.constant 0.000000e+00 : f32
      %22 = linalg.fill ins(%cst_1 : f32) outs(%21 : tensor<1x?xf32>) -> tensor<1x?xf32>
      %23 = linalg.generic {indexing_maps = [#map4, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%arg0 : tensor<1x?x32xf32>) outs(%22 : tensor<1x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %167 = arith.addf %in, %out : f32
        linalg.yield %167 : f32
      } -> tensor<1x?xf32>
      %expanded_2 = tensor.expand_shape %23 [[0], [1, 2]] output_shape [1, %dim, 1] : tensor<1x?xf32> into tensor<1x?x1xf32>
      %24 = tensor.empty(%dim) : tensor<1x?x1xf32>
      %25 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_2 : tensor<1x?x1xf32>) outs(%24 : tensor<1x?x1xf32>) {
      ^bb0(%in: f32, %out: f32):
        %cst_43 = arith.constant 3.200000e+01 : f32
        %167 = arith.divf %in, %cst_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x1xf32>
      %26 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %27 = linalg.generic {indexing_maps = [#map4, #map6, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%arg0, %25 : tensor<1x?x32xf32>, tensor<1x?x1xf32>) outs(%26 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.subf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x32xf32>
      %28 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %29 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%27, %27 : tensor<1x?x32xf32>, tensor<1x?x32xf32>) outs(%28 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.mulf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x32xf32>
      %30 = tensor.empty(%dim) : tensor<1x?xf32>
      %cst_3 = arith.constant 0.000000e+00 : f32
      %31 = linalg.fill ins(%cst_3 : f32) outs(%30 : tensor<1x?xf32>) -> tensor<1x?xf32>
      %32 = linalg.generic {indexing_maps = [#map4, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%29 : tensor<1x?x32xf32>) outs(%31 : tensor<1x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %167 = arith.addf %in, %out : f32
        linalg.yield %167 : f32
      } -> tensor<1x?xf32>
      %expanded_4 = tensor.expand_shape %32 [[0], [1, 2]] output_shape [1, %dim, 1] : tensor<1x?xf32> into tensor<1x?x1xf32>
      %33 = tensor.empty(%dim) : tensor<1x?x1xf32>
      %34 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_4 : tensor<1x?x1xf32>) outs(%33 : tensor<1x?x1xf32>) {
      ^bb0(%in: f32, %out: f32):
        %cst_43 = arith.constant 3.200000e+01 : f32
        %167 = arith.divf %in, %cst_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x1xf32>
      %35 = tensor.empty(%dim) : tensor<1x?x1xf32>
      %36 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%34 : tensor<1x?x1xf32>) outs(%35 : tensor<1x?x1xf32>) {
      ^bb0(%in: f32, %out: f32):
        %cst_43 = arith.constant 9.99999974E-6 : f32
        %167 = arith.addf %in, %cst_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x1xf32>
      %37 = tensor.empty(%dim) : tensor<1x?x1xf32>
      %38 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%36 : tensor<1x?x1xf32>) outs(%37 : tensor<1x?x1xf32>) {
      ^bb0(%in: f32, %out: f32):
        %167 = math.rsqrt %in : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x1xf32>
      %39 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %40 = linalg.generic {indexing_maps = [#map4, #map6, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%27, %38 : tensor<1x?x32xf32>, tensor<1x?x1xf32>) outs(%39 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.mulf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x32xf32>
      %41 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %42 = linalg.generic {indexing_maps = [#map4, #map7, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%40, %4 : tensor<1x?x32xf32>, tensor<32xf32>) outs(%41 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.mulf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x32xf32>
      %43 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %44 = linalg.generic {indexing_maps = [#map4, #map7, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%42, %5 : tensor<1x?x32xf32>, tensor<32xf32>) outs(%43 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.addf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x32xf32>
      %45 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %cst_5 = arith.constant 0.000000e+00 : f32
      %46 = linalg.fill ins(%cst_5 : f32) outs(%45 : tensor<1x?x32xf32>) -> tensor<1x?x32xf32>
      %47 = linalg.generic {indexing_maps = [#map8, #map9, #map10], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%44, %0 : tensor<1x?x32xf32>, tensor<32x32xf32>) outs(%46 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.mulf %in, %in_43 : f32
        %168 = arith.addf %out, %167 : f32
        linalg.yield %168 : f32
      } -> tensor<1x?x32xf32>
      %expanded_6 = tensor.expand_shape %47 [[0], [1], [2, 3]] output_shape [1, %dim, 4, 8] : tensor<1x?x32xf32> into tensor<1x?x4x8xf32>
      %48 = tensor.empty(%dim) : tensor<1x4x?x8xf32>
      %transposed = linalg.transpose ins(%expanded_6 : tensor<1x?x4x8xf32>) outs(%48 : tensor<1x4x?x8xf32>) permutation = [0, 2, 1, 3] 
      %49 = tensor.empty(%dim) : tensor<1x?x16xf32>
      %cst_7 = arith.constant 0.000000e+00 : f32
      %50 = linalg.fill ins(%cst_7 : f32) outs(%49 : tensor<1x?x16xf32>) -> tensor<1x?x16xf32>
      %51 = linalg.generic {indexing_maps = [#map8, #map9, #map10], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%44, %1 : tensor<1x?x32xf32>, tensor<16x32xf32>) outs(%50 : tensor<1x?x16xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.mulf %in, %in_43 : f32
        %168 = arith.addf %out, %167 : f32
        linalg.yield %168 : f32
      } -> tensor<1x?x16xf32>
      %expanded_8 = tensor.expand_shape %51 [[0], [1], [2, 3]] output_shape [1, %dim, 2, 8] : tensor<1x?x16xf32> into tensor<1x?x2x8xf32>
      %52 = tensor.empty(%dim) : tensor<1x2x?x8xf32>
      %transposed_9 = linalg.transpose ins(%expanded_8 : tensor<1x?x2x8xf32>) outs(%52 : tensor<1x2x?x8xf32>) permutation = [0, 2, 1, 3] 
      %53 = tensor.empty(%dim) : tensor<1x?x16xf32>
      %cst_10 = arith.constant 0.000000e+00 : f32
      %54 = linalg.fill ins(%cst_10 : f32) outs(%53 : tensor<1x?x16xf32>) -> tensor<1x?x16xf32>
      %55 = linalg.generic {indexing_maps = [#map8, #map9, #map10], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%44, %2 : tensor<1x?x32xf32>, tensor<16x32xf32>) outs(%54 : tensor<1x?x16xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.mulf %in, %in_43 : f32
        %168 = arith.addf %out, %167 : f32
        linalg.yield %168 : f32
      } -> tensor<1x?x16xf32>
      %expanded_11 = tensor.expand_shape %55 [[0], [1], [2, 3]] output_shape [1, %dim, 2, 8] : tensor<1x?x16xf32> into tensor<1x?x2x8xf32>
      %56 = tensor.empty(%dim) : tensor<1x2x?x8xf32>
      %transposed_12 = linalg.transpose ins(%expanded_11 : tensor<1x?x2x8xf32>) outs(%56 : tensor<1x2x?x8xf32>) permutation = [0, 2, 1, 3] 
      %extracted_slice = tensor.extract_slice %transposed[0, 0, 0, 0] [1, 4, %dim, 4] [1, 1, 1, 2] : tensor<1x4x?x8xf32> to tensor<1x4x?x4xf32>
      %extracted_slice_13 = tensor.extract_slice %transposed[0, 0, 0, 1] [1, 4, %dim, 4] [1, 1, 1, 2] : tensor<1x4x?x8xf32> to tensor<1x4x?x4xf32>
      %57 = tensor.empty(%dim) : tensor<1x4x?x4xf32>
      %58 = linalg.generic {indexing_maps = [#map11, #map9, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%extracted_slice, %18 : tensor<1x4x?x4xf32>, tensor<?x4xf32>) outs(%57 : tensor<1x4x?x4xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.mulf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x4x?x4xf32>
      %59 = tensor.empty(%dim) : tensor<1x4x?x4xf32>
      %60 = linalg.generic {indexing_maps = [#map11, #map9, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%extracted_slice_13, %20 : tensor<1x4x?x4xf32>, tensor<?x4xf32>) outs(%59 : tensor<1x4x?x4xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.mulf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x4x?x4xf32>
      %61 = tensor.empty(%dim) : tensor<1x4x?x4xf32>
      %62 = linalg.generic {indexing_maps = [#map11, #map11, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%58, %60 : tensor<1x4x?x4xf32>, tensor<1x4x?x4xf32>) outs(%61 : tensor<1x4x?x4xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.subf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x4x?x4xf32>
      %63 = tensor.empty(%dim) : tensor<1x4x?x4xf32>
      %64 = linalg.generic {indexing_maps = [#map11, #map9, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%extracted_slice, %20 : tensor<1x4x?x4xf32>, tensor<?x4xf32>) outs(%63 : tensor<1x4x?x4xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.mulf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x4x?x4xf32>
      %65 = tensor.empty(%dim) : tensor<1x4x?x4xf32>
      %66 = linalg.generic {indexing_maps = [#map11, #map9, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%extracted_slice_13, %18 : tensor<1x4x?x4xf32>, tensor<?x4xf32>) outs(%65 : tensor<1x4x?x4xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.mulf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x4x?x4xf32>
      %67 = tensor.empty(%dim) : tensor<1x4x?x4xf32>
      %68 = linalg.generic {indexing_maps = [#map11, #map11, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%64, %66 : tensor<1x4x?x4xf32>, tensor<1x4x?x4xf32>) outs(%67 : tensor<1x4x?x4xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.addf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x4x?x4xf32>
      %expanded_14 = tensor.expand_shape %62 [[0], [1], [2], [3, 4]] output_shape [1, 4, %dim, 4, 1] : tensor<1x4x?x4xf32> into tensor<1x4x?x4x1xf32>
      %expanded_15 = tensor.expand_shape %68 [[0], [1], [2], [3, 4]] output_shape [1, 4, %dim, 4, 1] : tensor<1x4x?x4xf32> into tensor<1x4x?x4x1xf32>
      %concat = tensor.concat dim(4) %expanded_14, %expanded_15 : (tensor<1x4x?x4x1xf32>, tensor<1x4x?x4x1xf32>) -> tensor<1x4x?x4x2xf32>
      %collapsed = tensor.collapse_shape %concat [[0], [1], [2], [3, 4]] : tensor<1x4x?x4x2xf32> into tensor<1x4x?x8xf32>
      %extracted_slice_16 = tensor.extract_slice %transposed_9[0, 0, 0, 0] [1, 2, %dim, 4] [1, 1, 1, 2] : tensor<1x2x?x8xf32> to tensor<1x2x?x4xf32>
      %extracted_slice_17 = tensor.extract_slice %transposed_9[0, 0, 0, 1] [1, 2, %dim, 4] [1, 1, 1, 2] : tensor<1x2x?x8xf32> to tensor<1x2x?x4xf32>
      %69 = tensor.empty(%dim) : tensor<1x2x?x4xf32>
      %70 = linalg.generic {indexing_maps = [#map11, #map9, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%extracted_slice_16, %18 : tensor<1x2x?x4xf32>, tensor<?x4xf32>) outs(%69 : tensor<1x2x?x4xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.mulf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x2x?x4xf32>
      %71 = tensor.empty(%dim) : tensor<1x2x?x4xf32>
      %72 = linalg.generic {indexing_maps = [#map11, #map9, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%extracted_slice_17, %20 : tensor<1x2x?x4xf32>, tensor<?x4xf32>) outs(%71 : tensor<1x2x?x4xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.mulf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x2x?x4xf32>
      %73 = tensor.empty(%dim) : tensor<1x2x?x4xf32>
      %74 = linalg.generic {indexing_maps = [#map11, #map11, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%70, %72 : tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) outs(%73 : tensor<1x2x?x4xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.subf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x2x?x4xf32>
      %75 = tensor.empty(%dim) : tensor<1x2x?x4xf32>
      %76 = linalg.generic {indexing_maps = [#map11, #map9, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%extracted_slice_16, %20 : tensor<1x2x?x4xf32>, tensor<?x4xf32>) outs(%75 : tensor<1x2x?x4xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.mulf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x2x?x4xf32>
      %77 = tensor.empty(%dim) : tensor<1x2x?x4xf32>
      %78 = linalg.generic {indexing_maps = [#map11, #map9, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%extracted_slice_17, %18 : tensor<1x2x?x4xf32>, tensor<?x4xf32>) outs(%77 : tensor<1x2x?x4xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.mulf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x2x?x4xf32>
      %79 = tensor.empty(%dim) : tensor<1x2x?x4xf32>
      %80 = linalg.generic {indexing_maps = [#map11, #map11, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%76, %78 : tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) outs(%79 : tensor<1x2x?x4xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.addf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x2x?x4xf32>
      %expanded_18 = tensor.expand_shape %74 [[0], [1], [2], [3, 4]] output_shape [1, 2, %dim, 4, 1] : tensor<1x2x?x4xf32> into tensor<1x2x?x4x1xf32>
      %expanded_19 = tensor.expand_shape %80 [[0], [1], [2], [3, 4]] output_shape [1, 2, %dim, 4, 1] : tensor<1x2x?x4xf32> into tensor<1x2x?x4x1xf32>
      %concat_20 = tensor.concat dim(4) %expanded_18, %expanded_19 : (tensor<1x2x?x4x1xf32>, tensor<1x2x?x4x1xf32>) -> tensor<1x2x?x4x2xf32>
      %collapsed_21 = tensor.collapse_shape %concat_20 [[0], [1], [2], [3, 4]] : tensor<1x2x?x4x2xf32> into tensor<1x2x?x8xf32>
      %expanded_22 = tensor.expand_shape %collapsed_21 [[0], [1], [2, 3], [4]] output_shape [1, 2, 1, %dim, 8] : tensor<1x2x?x8xf32> into tensor<1x2x1x?x8xf32>
      %81 = tensor.empty(%dim) : tensor<1x2x2x?x8xf32>
      %82 = linalg.generic {indexing_maps = [#map12, #map13], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%expanded_22 : tensor<1x2x1x?x8xf32>) outs(%81 : tensor<1x2x2x?x8xf32>) {
      ^bb0(%in: f32, %out: f32):
        linalg.yield %in : f32
      } -> tensor<1x2x2x?x8xf32>
      %collapsed_23 = tensor.collapse_shape %82 [[0], [1, 2], [3], [4]] : tensor<1x2x2x?x8xf32> into tensor<1x4x?x8xf32>
      %expanded_24 = tensor.expand_shape %transposed_12 [[0], [1], [2, 3], [4]] output_shape [1, 2, 1, %dim, 8] : tensor<1x2x?x8xf32> into tensor<1x2x1x?x8xf32>
      %83 = tensor.empty(%dim) : tensor<1x2x2x?x8xf32>
      %84 = linalg.generic {indexing_maps = [#map12, #map13], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%expanded_24 : tensor<1x2x1x?x8xf32>) outs(%83 : tensor<1x2x2x?x8xf32>) {
      ^bb0(%in: f32, %out: f32):
        linalg.yield %in : f32
      } -> tensor<1x2x2x?x8xf32>
      %collapsed_25 = tensor.collapse_shape %84 [[0], [1, 2], [3], [4]] : tensor<1x2x2x?x8xf32> into tensor<1x4x?x8xf32>
      %85 = tensor.empty(%dim) : tensor<1x4x8x?xf32>
      %transposed_26 = linalg.transpose ins(%collapsed_23 : tensor<1x4x?x8xf32>) outs(%85 : tensor<1x4x8x?xf32>) permutation = [0, 1, 3, 2] 
      %86 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %cst_27 = arith.constant 0.000000e+00 : f32
      %87 = linalg.fill ins(%cst_27 : f32) outs(%86 : tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
      %88 = linalg.generic {indexing_maps = [#map14, #map15, #map16], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%collapsed, %transposed_26 : tensor<1x4x?x8xf32>, tensor<1x4x8x?xf32>) outs(%87 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.mulf %in, %in_43 : f32
        %168 = arith.addf %out, %167 : f32
        linalg.yield %168 : f32
      } -> tensor<1x4x?x?xf32>
      %89 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %90 = linalg.generic {indexing_maps = [#map11, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%88 : tensor<1x4x?x?xf32>) outs(%89 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %cst_43 = arith.constant 0.353553385 : f32
        %167 = arith.mulf %in, %cst_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x4x?x?xf32>
      %91 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %92 = linalg.generic {indexing_maps = [#map11, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%90 : tensor<1x4x?x?xf32>) outs(%91 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %cst_43 = arith.constant 0xFF800000 : f32
        %167 = linalg.index 2 : index
        %168 = linalg.index 3 : index
        %169 = arith.cmpi sle, %168, %167 : index
        %170 = arith.select %169, %in, %cst_43 : f32
        linalg.yield %170 : f32
      } -> tensor<1x4x?x?xf32>
      %93 = tensor.empty(%dim) : tensor<1x4x?xf32>
      %cst_28 = arith.constant 0xFF800000 : f32
      %94 = linalg.fill ins(%cst_28 : f32) outs(%93 : tensor<1x4x?xf32>) -> tensor<1x4x?xf32>
      %95 = linalg.generic {indexing_maps = [#map11, #map10], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%92 : tensor<1x4x?x?xf32>) outs(%94 : tensor<1x4x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %167 = arith.maximumf %in, %out : f32
        linalg.yield %167 : f32
      } -> tensor<1x4x?xf32>
      %expanded_29 = tensor.expand_shape %95 [[0], [1], [2, 3]] output_shape [1, 4, %dim, 1] : tensor<1x4x?xf32> into tensor<1x4x?x1xf32>
      %96 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %97 = linalg.generic {indexing_maps = [#map11, #map17, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%92, %expanded_29 : tensor<1x4x?x?xf32>, tensor<1x4x?x1xf32>) outs(%96 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.subf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x4x?x?xf32>
      %98 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %99 = linalg.generic {indexing_maps = [#map11, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%97 : tensor<1x4x?x?xf32>) outs(%98 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %167 = math.exp %in : f32
        linalg.yield %167 : f32
      } -> tensor<1x4x?x?xf32>
      %100 = tensor.empty(%dim) : tensor<1x4x?xf32>
      %cst_30 = arith.constant 0.000000e+00 : f32
      %101 = linalg.fill ins(%cst_30 : f32) outs(%100 : tensor<1x4x?xf32>) -> tensor<1x4x?xf32>
      %102 = linalg.generic {indexing_maps = [#map11, #map10], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%99 : tensor<1x4x?x?xf32>) outs(%101 : tensor<1x4x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %167 = arith.addf %in, %out : f32
        linalg.yield %167 : f32
      } -> tensor<1x4x?xf32>
      %expanded_31 = tensor.expand_shape %102 [[0], [1], [2, 3]] output_shape [1, 4, %dim, 1] : tensor<1x4x?xf32> into tensor<1x4x?x1xf32>
      %103 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %104 = linalg.generic {indexing_maps = [#map11, #map17, #map11], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%99, %expanded_31 : tensor<1x4x?x?xf32>, tensor<1x4x?x1xf32>) outs(%103 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.divf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x4x?x?xf32>
      %105 = tensor.empty(%dim) : tensor<1x4x?x8xf32>
      %cst_32 = arith.constant 0.000000e+00 : f32
      %106 = linalg.fill ins(%cst_32 : f32) outs(%105 : tensor<1x4x?x8xf32>) -> tensor<1x4x?x8xf32>
      %107 = linalg.generic {indexing_maps = [#map14, #map15, #map16], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%104, %collapsed_25 : tensor<1x4x?x?xf32>, tensor<1x4x?x8xf32>) outs(%106 : tensor<1x4x?x8xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.mulf %in, %in_43 : f32
        %168 = arith.addf %out, %167 : f32
        linalg.yield %168 : f32
      } -> tensor<1x4x?x8xf32>
      %108 = tensor.empty(%dim) : tensor<1x?x4x8xf32>
      %transposed_33 = linalg.transpose ins(%107 : tensor<1x4x?x8xf32>) outs(%108 : tensor<1x?x4x8xf32>) permutation = [0, 2, 1, 3] 
      %collapsed_34 = tensor.collapse_shape %transposed_33 [[0], [1], [2, 3]] : tensor<1x?x4x8xf32> into tensor<1x?x32xf32>
      %109 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %cst_35 = arith.constant 0.000000e+00 : f32
      %110 = linalg.fill ins(%cst_35 : f32) outs(%109 : tensor<1x?x32xf32>) -> tensor<1x?x32xf32>
      %111 = linalg.generic {indexing_maps = [#map8, #map9, #map10], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%collapsed_34, %3 : tensor<1x?x32xf32>, tensor<32x32xf32>) outs(%110 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.mulf %in, %in_43 : f32
        %168 = arith.addf %out, %167 : f32
        linalg.yield %168 : f32
      } -> tensor<1x?x32xf32>
      %112 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %113 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%arg0, %111 : tensor<1x?x32xf32>, tensor<1x?x32xf32>) outs(%112 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.addf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x32xf32>
      %114 = tensor.empty(%dim) : tensor<1x?xf32>
      %cst_36 = arith.constant 0.000000e+00 : f32
      %115 = linalg.fill ins(%cst_36 : f32) outs(%114 : tensor<1x?xf32>) -> tensor<1x?xf32>
      %116 = linalg.generic {indexing_maps = [#map4, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%113 : tensor<1x?x32xf32>) outs(%115 : tensor<1x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %167 = arith.addf %in, %out : f32
        linalg.yield %167 : f32
      } -> tensor<1x?xf32>
      %expanded_37 = tensor.expand_shape %116 [[0], [1, 2]] output_shape [1, %dim, 1] : tensor<1x?xf32> into tensor<1x?x1xf32>
      %117 = tensor.empty(%dim) : tensor<1x?x1xf32>
      %118 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_37 : tensor<1x?x1xf32>) outs(%117 : tensor<1x?x1xf32>) {
      ^bb0(%in: f32, %out: f32):
        %cst_43 = arith.constant 3.200000e+01 : f32
        %167 = arith.divf %in, %cst_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x1xf32>
      %119 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %120 = linalg.generic {indexing_maps = [#map4, #map6, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%113, %118 : tensor<1x?x32xf32>, tensor<1x?x1xf32>) outs(%119 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.subf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x32xf32>
      %121 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %122 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%120, %120 : tensor<1x?x32xf32>, tensor<1x?x32xf32>) outs(%121 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.mulf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x32xf32>
      %123 = tensor.empty(%dim) : tensor<1x?xf32>
      %cst_38 = arith.constant 0.000000e+00 : f32
      %124 = linalg.fill ins(%cst_38 : f32) outs(%123 : tensor<1x?xf32>) -> tensor<1x?xf32>
      %125 = linalg.generic {indexing_maps = [#map4, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%122 : tensor<1x?x32xf32>) outs(%124 : tensor<1x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %167 = arith.addf %in, %out : f32
        linalg.yield %167 : f32
      } -> tensor<1x?xf32>
      %expanded_39 = tensor.expand_shape %125 [[0], [1, 2]] output_shape [1, %dim, 1] : tensor<1x?xf32> into tensor<1x?x1xf32>
      %126 = tensor.empty(%dim) : tensor<1x?x1xf32>
      %127 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_39 : tensor<1x?x1xf32>) outs(%126 : tensor<1x?x1xf32>) {
      ^bb0(%in: f32, %out: f32):
        %cst_43 = arith.constant 3.200000e+01 : f32
        %167 = arith.divf %in, %cst_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x1xf32>
      %128 = tensor.empty(%dim) : tensor<1x?x1xf32>
      %129 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%127 : tensor<1x?x1xf32>) outs(%128 : tensor<1x?x1xf32>) {
      ^bb0(%in: f32, %out: f32):
        %cst_43 = arith.constant 9.99999974E-6 : f32
        %167 = arith.addf %in, %cst_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x1xf32>
      %130 = tensor.empty(%dim) : tensor<1x?x1xf32>
      %131 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%129 : tensor<1x?x1xf32>) outs(%130 : tensor<1x?x1xf32>) {
      ^bb0(%in: f32, %out: f32):
        %167 = math.rsqrt %in : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x1xf32>
      %132 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %133 = linalg.generic {indexing_maps = [#map4, #map6, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%120, %131 : tensor<1x?x32xf32>, tensor<1x?x1xf32>) outs(%132 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.mulf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x32xf32>
      %134 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %135 = linalg.generic {indexing_maps = [#map4, #map7, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%133, %6 : tensor<1x?x32xf32>, tensor<32xf32>) outs(%134 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.mulf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x32xf32>
      %136 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %137 = linalg.generic {indexing_maps = [#map4, #map7, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%135, %7 : tensor<1x?x32xf32>, tensor<32xf32>) outs(%136 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.addf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x32xf32>
      %138 = tensor.empty(%dim) : tensor<1x?x64xf32>
      %cst_40 = arith.constant 0.000000e+00 : f32
      %139 = linalg.fill ins(%cst_40 : f32) outs(%138 : tensor<1x?x64xf32>) -> tensor<1x?x64xf32>
      %140 = linalg.generic {indexing_maps = [#map8, #map9, #map10], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%137, %8 : tensor<1x?x32xf32>, tensor<64x32xf32>) outs(%139 : tensor<1x?x64xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.mulf %in, %in_43 : f32
        %168 = arith.addf %out, %167 : f32
        linalg.yield %168 : f32
      } -> tensor<1x?x64xf32>
      %141 = tensor.empty(%dim) : tensor<1x?x64xf32>
      %cst_41 = arith.constant 0.000000e+00 : f32
      %142 = linalg.fill ins(%cst_41 : f32) outs(%141 : tensor<1x?x64xf32>) -> tensor<1x?x64xf32>
      %143 = linalg.generic {indexing_maps = [#map8, #map9, #map10], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%137, %9 : tensor<1x?x32xf32>, tensor<64x32xf32>) outs(%142 : tensor<1x?x64xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.mulf %in, %in_43 : f32
        %168 = arith.addf %out, %167 : f32
        linalg.yield %168 : f32
      } -> tensor<1x?x64xf32>
      %144 = tensor.empty(%dim) : tensor<1x?x64xf32>
      %145 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%140 : tensor<1x?x64xf32>) outs(%144 : tensor<1x?x64xf32>) {
      ^bb0(%in: f32, %out: f32):
        %cst_43 = arith.constant 5.000000e-01 : f32
        %167 = arith.mulf %in, %cst_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x64xf32>
      %146 = tensor.empty(%dim) : tensor<1x?x64xf32>
      %147 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%140 : tensor<1x?x64xf32>) outs(%146 : tensor<1x?x64xf32>) {
      ^bb0(%in: f32, %out: f32):
        %167 = arith.mulf %in, %in : f32
        %168 = arith.mulf %167, %in : f32
        linalg.yield %168 : f32
      } -> tensor<1x?x64xf32>
      %148 = tensor.empty(%dim) : tensor<1x?x64xf32>
      %149 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%147 : tensor<1x?x64xf32>) outs(%148 : tensor<1x?x64xf32>) {
      ^bb0(%in: f32, %out: f32):
        %cst_43 = arith.constant 4.471500e-02 : f32
        %167 = arith.mulf %in, %cst_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x64xf32>
      %150 = tensor.empty(%dim) : tensor<1x?x64xf32>
      %151 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%140, %149 : tensor<1x?x64xf32>, tensor<1x?x64xf32>) outs(%150 : tensor<1x?x64xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.addf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x64xf32>
      %152 = tensor.empty(%dim) : tensor<1x?x64xf32>
      %153 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%151 : tensor<1x?x64xf32>) outs(%152 : tensor<1x?x64xf32>) {
      ^bb0(%in: f32, %out: f32):
        %cst_43 = arith.constant 0.797884583 : f32
        %167 = arith.mulf %in, %cst_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x64xf32>
      %154 = tensor.empty(%dim) : tensor<1x?x64xf32>
      %155 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%153 : tensor<1x?x64xf32>) outs(%154 : tensor<1x?x64xf32>) {
      ^bb0(%in: f32, %out: f32):
        %167 = math.tanh %in : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x64xf32>
      %156 = tensor.empty(%dim) : tensor<1x?x64xf32>
      %157 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%155 : tensor<1x?x64xf32>) outs(%156 : tensor<1x?x64xf32>) {
      ^bb0(%in: f32, %out: f32):
        %cst_43 = arith.constant 1.000000e+00 : f32
        %167 = arith.addf %in, %cst_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x64xf32>
      %158 = tensor.empty(%dim) : tensor<1x?x64xf32>
      %159 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%145, %157 : tensor<1x?x64xf32>, tensor<1x?x64xf32>) outs(%158 : tensor<1x?x64xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.mulf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x64xf32>
      %160 = tensor.empty(%dim) : tensor<1x?x64xf32>
      %161 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%159, %143 : tensor<1x?x64xf32>, tensor<1x?x64xf32>) outs(%160 : tensor<1x?x64xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.mulf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x64xf32>
      %162 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %cst_42 = arith.constant 0.000000e+00 : f32
      %163 = linalg.fill ins(%cst_42 : f32) outs(%162 : tensor<1x?x32xf32>) -> tensor<1x?x32xf32>
      %164 = linalg.generic {indexing_maps = [#map8, #map9, #map10], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%161, %10 : tensor<1x?x64xf32>, tensor<32x64xf32>) outs(%163 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.mulf %in, %in_43 : f32
        %168 = arith.addf %out, %167 : f32
        linalg.yield %168 : f32
      } -> tensor<1x?x32xf32>
      %165 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %166 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel"]} ins(%113, %164 : tensor<1x?x32xf32>, tensor<1x?x32xf32>) outs(%165 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_43: f32, %out: f32):
        %167 = arith.addf %in, %in_43 : f32
        linalg.yield %167 : f32
      } -> tensor<1x?x32xf32>
      return %166 : tensor<1x?x32xf32>
    }
  }
}
