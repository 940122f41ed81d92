// Must not fire: q, k and v are columns of one product.
// RUN: not llmir-opt %s --pass-pipeline='builtin.module(llm.graph(llm-raise))' 2>&1 | FileCheck %s
// CHECK: error: cannot be raised to llm ops: only whole rows can be raised, not some of their columns
// CHECK: note: the result needs it
#map = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
#map1 = affine_map<(d0, d1, d2, d3) -> (d2, d3)>
#map2 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map4 = affine_map<(d0, d1, d2) -> (d2)>
#map5 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, 0, d3, d4)>
#map6 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
#map7 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>
#map8 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d4, d3)>
#map9 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>
#map10 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map11 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
module {
  llm.graph @forward_graph attributes {source = "fused_qkv.pt2"} {
    llm.weight @o.weight : tensor<32x32xf32> from "o.weight"
    llm.weight @qkv.weight : tensor<64x32xf32> from "qkv.weight"
    llm.weight @qkv.bias : tensor<64xf32> from "qkv.bias"
    func.func @forward(%arg0: tensor<1x?x32xf32>) -> tensor<1x?x32xf32> {
      %c1 = arith.constant 1 : index
      %dim = tensor.dim %arg0, %c1 : tensor<1x?x32xf32>
      %0 = llm.get_weight @o.weight : tensor<32x32xf32>
      %1 = llm.get_weight @qkv.weight : tensor<64x32xf32>
      %2 = llm.get_weight @qkv.bias : tensor<64xf32>
      %3 = tensor.empty(%dim) : tensor<1x?x64xf32>
      %cst = arith.constant 0.000000e+00 : f32
      %4 = linalg.fill ins(%cst : f32) outs(%3 : tensor<1x?x64xf32>) -> tensor<1x?x64xf32>
      %5 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%arg0, %1 : tensor<1x?x32xf32>, tensor<64x32xf32>) outs(%4 : tensor<1x?x64xf32>) {
      ^bb0(%in: f32, %in_19: f32, %out: f32):
        %42 = arith.mulf %in, %in_19 : f32
        %43 = arith.addf %out, %42 : f32
        linalg.yield %43 : f32
      } -> tensor<1x?x64xf32>
      %6 = tensor.empty(%dim) : tensor<1x?x64xf32>
      %7 = linalg.generic {indexing_maps = [#map3, #map4, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%5, %2 : tensor<1x?x64xf32>, tensor<64xf32>) outs(%6 : tensor<1x?x64xf32>) {
      ^bb0(%in: f32, %in_19: f32, %out: f32):
        %42 = arith.addf %in, %in_19 : f32
        linalg.yield %42 : f32
      } -> tensor<1x?x64xf32>
      %extracted_slice = tensor.extract_slice %7[0, 0, 0] [1, %dim, 32] [1, 1, 1] : tensor<1x?x64xf32> to tensor<1x?x32xf32>
      %extracted_slice_0 = tensor.extract_slice %7[0, 0, 32] [1, %dim, 16] [1, 1, 1] : tensor<1x?x64xf32> to tensor<1x?x16xf32>
      %extracted_slice_1 = tensor.extract_slice %7[0, 0, 48] [1, %dim, 16] [1, 1, 1] : tensor<1x?x64xf32> to tensor<1x?x16xf32>
      %expanded = tensor.expand_shape %extracted_slice [[0], [1], [2, 3]] output_shape [1, %dim, 4, 8] : tensor<1x?x32xf32> into tensor<1x?x4x8xf32>
      %8 = tensor.empty(%dim) : tensor<1x4x?x8xf32>
      %transposed = linalg.transpose ins(%expanded : tensor<1x?x4x8xf32>) outs(%8 : tensor<1x4x?x8xf32>) permutation = [0, 2, 1, 3] 
      %expanded_2 = tensor.expand_shape %extracted_slice_0 [[0], [1], [2, 3]] output_shape [1, %dim, 2, 8] : tensor<1x?x16xf32> into tensor<1x?x2x8xf32>
      %9 = tensor.empty(%dim) : tensor<1x2x?x8xf32>
      %transposed_3 = linalg.transpose ins(%expanded_2 : tensor<1x?x2x8xf32>) outs(%9 : tensor<1x2x?x8xf32>) permutation = [0, 2, 1, 3] 
      %expanded_4 = tensor.expand_shape %extracted_slice_1 [[0], [1], [2, 3]] output_shape [1, %dim, 2, 8] : tensor<1x?x16xf32> into tensor<1x?x2x8xf32>
      %10 = tensor.empty(%dim) : tensor<1x2x?x8xf32>
      %transposed_5 = linalg.transpose ins(%expanded_4 : tensor<1x?x2x8xf32>) outs(%10 : tensor<1x2x?x8xf32>) permutation = [0, 2, 1, 3] 
      %expanded_6 = tensor.expand_shape %transposed_3 [[0], [1], [2, 3], [4]] output_shape [1, 2, 1, %dim, 8] : tensor<1x2x?x8xf32> into tensor<1x2x1x?x8xf32>
      %11 = tensor.empty(%dim) : tensor<1x2x2x?x8xf32>
      %12 = linalg.generic {indexing_maps = [#map5, #map6], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%expanded_6 : tensor<1x2x1x?x8xf32>) outs(%11 : tensor<1x2x2x?x8xf32>) {
      ^bb0(%in: f32, %out: f32):
        linalg.yield %in : f32
      } -> tensor<1x2x2x?x8xf32>
      %collapsed = tensor.collapse_shape %12 [[0], [1, 2], [3], [4]] : tensor<1x2x2x?x8xf32> into tensor<1x4x?x8xf32>
      %expanded_7 = tensor.expand_shape %transposed_5 [[0], [1], [2, 3], [4]] output_shape [1, 2, 1, %dim, 8] : tensor<1x2x?x8xf32> into tensor<1x2x1x?x8xf32>
      %13 = tensor.empty(%dim) : tensor<1x2x2x?x8xf32>
      %14 = linalg.generic {indexing_maps = [#map5, #map6], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%expanded_7 : tensor<1x2x1x?x8xf32>) outs(%13 : tensor<1x2x2x?x8xf32>) {
      ^bb0(%in: f32, %out: f32):
        linalg.yield %in : f32
      } -> tensor<1x2x2x?x8xf32>
      %collapsed_8 = tensor.collapse_shape %14 [[0], [1, 2], [3], [4]] : tensor<1x2x2x?x8xf32> into tensor<1x4x?x8xf32>
      %15 = tensor.empty(%dim) : tensor<1x4x8x?xf32>
      %transposed_9 = linalg.transpose ins(%collapsed : tensor<1x4x?x8xf32>) outs(%15 : tensor<1x4x8x?xf32>) permutation = [0, 1, 3, 2] 
      %16 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %cst_10 = arith.constant 0.000000e+00 : f32
      %17 = linalg.fill ins(%cst_10 : f32) outs(%16 : tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
      %18 = linalg.generic {indexing_maps = [#map7, #map8, #map9], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%transposed, %transposed_9 : tensor<1x4x?x8xf32>, tensor<1x4x8x?xf32>) outs(%17 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %in_19: f32, %out: f32):
        %42 = arith.mulf %in, %in_19 : f32
        %43 = arith.addf %out, %42 : f32
        linalg.yield %43 : f32
      } -> tensor<1x4x?x?xf32>
      %19 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %20 = linalg.generic {indexing_maps = [#map10, #map10], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%18 : tensor<1x4x?x?xf32>) outs(%19 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %cst_19 = arith.constant 0.353553385 : f32
        %42 = arith.mulf %in, %cst_19 : f32
        linalg.yield %42 : f32
      } -> tensor<1x4x?x?xf32>
      %21 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %22 = linalg.generic {indexing_maps = [#map10, #map10], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%20 : tensor<1x4x?x?xf32>) outs(%21 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %cst_19 = arith.constant 0xFF800000 : f32
        %42 = linalg.index 2 : index
        %43 = linalg.index 3 : index
        %44 = arith.cmpi sle, %43, %42 : index
        %45 = arith.select %44, %in, %cst_19 : f32
        linalg.yield %45 : f32
      } -> tensor<1x4x?x?xf32>
      %23 = tensor.empty(%dim) : tensor<1x4x?xf32>
      %cst_11 = arith.constant 0xFF800000 : f32
      %24 = linalg.fill ins(%cst_11 : f32) outs(%23 : tensor<1x4x?xf32>) -> tensor<1x4x?xf32>
      %25 = linalg.generic {indexing_maps = [#map10, #map2], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%22 : tensor<1x4x?x?xf32>) outs(%24 : tensor<1x4x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %42 = arith.maximumf %in, %out : f32
        linalg.yield %42 : f32
      } -> tensor<1x4x?xf32>
      %expanded_12 = tensor.expand_shape %25 [[0], [1], [2, 3]] output_shape [1, 4, %dim, 1] : tensor<1x4x?xf32> into tensor<1x4x?x1xf32>
      %26 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %27 = linalg.generic {indexing_maps = [#map10, #map11, #map10], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%22, %expanded_12 : tensor<1x4x?x?xf32>, tensor<1x4x?x1xf32>) outs(%26 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %in_19: f32, %out: f32):
        %42 = arith.subf %in, %in_19 : f32
        linalg.yield %42 : f32
      } -> tensor<1x4x?x?xf32>
      %28 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %29 = linalg.generic {indexing_maps = [#map10, #map10], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%27 : tensor<1x4x?x?xf32>) outs(%28 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %42 = math.exp %in : f32
        linalg.yield %42 : f32
      } -> tensor<1x4x?x?xf32>
      %30 = tensor.empty(%dim) : tensor<1x4x?xf32>
      %cst_13 = arith.constant 0.000000e+00 : f32
      %31 = linalg.fill ins(%cst_13 : f32) outs(%30 : tensor<1x4x?xf32>) -> tensor<1x4x?xf32>
      %32 = linalg.generic {indexing_maps = [#map10, #map2], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%29 : tensor<1x4x?x?xf32>) outs(%31 : tensor<1x4x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %42 = arith.addf %in, %out : f32
        linalg.yield %42 : f32
      } -> tensor<1x4x?xf32>
      %expanded_14 = tensor.expand_shape %32 [[0], [1], [2, 3]] output_shape [1, 4, %dim, 1] : tensor<1x4x?xf32> into tensor<1x4x?x1xf32>
      %33 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %34 = linalg.generic {indexing_maps = [#map10, #map11, #map10], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%29, %expanded_14 : tensor<1x4x?x?xf32>, tensor<1x4x?x1xf32>) outs(%33 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %in_19: f32, %out: f32):
        %42 = arith.divf %in, %in_19 : f32
        linalg.yield %42 : f32
      } -> tensor<1x4x?x?xf32>
      %35 = tensor.empty(%dim) : tensor<1x4x?x8xf32>
      %cst_15 = arith.constant 0.000000e+00 : f32
      %36 = linalg.fill ins(%cst_15 : f32) outs(%35 : tensor<1x4x?x8xf32>) -> tensor<1x4x?x8xf32>
      %37 = linalg.generic {indexing_maps = [#map7, #map8, #map9], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%34, %collapsed_8 : tensor<1x4x?x?xf32>, tensor<1x4x?x8xf32>) outs(%36 : tensor<1x4x?x8xf32>) {
      ^bb0(%in: f32, %in_19: f32, %out: f32):
        %42 = arith.mulf %in, %in_19 : f32
        %43 = arith.addf %out, %42 : f32
        linalg.yield %43 : f32
      } -> tensor<1x4x?x8xf32>
      %38 = tensor.empty(%dim) : tensor<1x?x4x8xf32>
      %transposed_16 = linalg.transpose ins(%37 : tensor<1x4x?x8xf32>) outs(%38 : tensor<1x?x4x8xf32>) permutation = [0, 2, 1, 3] 
      %collapsed_17 = tensor.collapse_shape %transposed_16 [[0], [1], [2, 3]] : tensor<1x?x4x8xf32> into tensor<1x?x32xf32>
      %39 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %cst_18 = arith.constant 0.000000e+00 : f32
      %40 = linalg.fill ins(%cst_18 : f32) outs(%39 : tensor<1x?x32xf32>) -> tensor<1x?x32xf32>
      %41 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%collapsed_17, %0 : tensor<1x?x32xf32>, tensor<32x32xf32>) outs(%40 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_19: f32, %out: f32):
        %42 = arith.mulf %in, %in_19 : f32
        %43 = arith.addf %out, %42 : f32
        linalg.yield %43 : f32
      } -> tensor<1x?x32xf32>
      return %41 : tensor<1x?x32xf32>
    }
  }
}
