// A soft cap with its scale folded in, a window by where(), KV heads by expand and reshape.
// RUN: llmir-opt %s --pass-pipeline='builtin.module(llm.graph(llm-raise))' | FileCheck %s
// CHECK: llm.dense_attention {{.*}} {heads = 2 : i64, scale = 0.353{{[0-9]*}} : f64, softcap = 3.000000e+01 : f64, window = 5 : i64} :
// CHECK-NOT: linalg
#map = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
#map1 = affine_map<(d0, d1, d2, d3) -> (d2, d3)>
#map2 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map3 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, 0, d3, d4)>
#map4 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
#map5 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>
#map6 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d4, d3)>
#map7 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>
#map8 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map9 = affine_map<(d0) -> (d0)>
#map10 = affine_map<(d0, d1) -> (d0, 0)>
#map11 = affine_map<(d0, d1) -> (0, d1)>
#map12 = affine_map<(d0, d1) -> (d0, d1)>
#map13 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
module {
  llm.graph @forward_graph attributes {source = "softcap_window.pt2"} {
    llm.weight @q.weight : tensor<32x32xf32> from "q.weight"
    llm.weight @k.weight : tensor<16x32xf32> from "k.weight"
    llm.weight @v.weight : tensor<16x32xf32> from "v.weight"
    llm.weight @o.weight : tensor<32x32xf32> from "o.weight"
    func.func @forward(%arg0: tensor<1x?x32xf32>) -> tensor<1x?x32xf32> {
      %c1 = arith.constant 1 : index
      %dim = tensor.dim %arg0, %c1 : tensor<1x?x32xf32>
      %0 = llm.get_weight @q.weight : tensor<32x32xf32>
      %1 = llm.get_weight @k.weight : tensor<16x32xf32>
      %2 = llm.get_weight @v.weight : tensor<16x32xf32>
      %3 = llm.get_weight @o.weight : tensor<32x32xf32>
      %4 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %cst = arith.constant 0.000000e+00 : f32
      %5 = linalg.fill ins(%cst : f32) outs(%4 : tensor<1x?x32xf32>) -> tensor<1x?x32xf32>
      %6 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%arg0, %0 : tensor<1x?x32xf32>, tensor<32x32xf32>) outs(%5 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_21: f32, %out: f32):
        %61 = arith.mulf %in, %in_21 : f32
        %62 = arith.addf %out, %61 : f32
        linalg.yield %62 : f32
      } -> tensor<1x?x32xf32>
      %expanded = tensor.expand_shape %6 [[0], [1], [2, 3]] output_shape [1, %dim, 4, 8] : tensor<1x?x32xf32> into tensor<1x?x4x8xf32>
      %7 = tensor.empty(%dim) : tensor<1x4x?x8xf32>
      %transposed = linalg.transpose ins(%expanded : tensor<1x?x4x8xf32>) outs(%7 : tensor<1x4x?x8xf32>) permutation = [0, 2, 1, 3] 
      %8 = tensor.empty(%dim) : tensor<1x?x16xf32>
      %cst_0 = arith.constant 0.000000e+00 : f32
      %9 = linalg.fill ins(%cst_0 : f32) outs(%8 : tensor<1x?x16xf32>) -> tensor<1x?x16xf32>
      %10 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%arg0, %1 : tensor<1x?x32xf32>, tensor<16x32xf32>) outs(%9 : tensor<1x?x16xf32>) {
      ^bb0(%in: f32, %in_21: f32, %out: f32):
        %61 = arith.mulf %in, %in_21 : f32
        %62 = arith.addf %out, %61 : f32
        linalg.yield %62 : f32
      } -> tensor<1x?x16xf32>
      %expanded_1 = tensor.expand_shape %10 [[0], [1], [2, 3]] output_shape [1, %dim, 2, 8] : tensor<1x?x16xf32> into tensor<1x?x2x8xf32>
      %11 = tensor.empty(%dim) : tensor<1x2x?x8xf32>
      %transposed_2 = linalg.transpose ins(%expanded_1 : tensor<1x?x2x8xf32>) outs(%11 : tensor<1x2x?x8xf32>) permutation = [0, 2, 1, 3] 
      %12 = tensor.empty(%dim) : tensor<1x?x16xf32>
      %cst_3 = arith.constant 0.000000e+00 : f32
      %13 = linalg.fill ins(%cst_3 : f32) outs(%12 : tensor<1x?x16xf32>) -> tensor<1x?x16xf32>
      %14 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%arg0, %2 : tensor<1x?x32xf32>, tensor<16x32xf32>) outs(%13 : tensor<1x?x16xf32>) {
      ^bb0(%in: f32, %in_21: f32, %out: f32):
        %61 = arith.mulf %in, %in_21 : f32
        %62 = arith.addf %out, %61 : f32
        linalg.yield %62 : f32
      } -> tensor<1x?x16xf32>
      %expanded_4 = tensor.expand_shape %14 [[0], [1], [2, 3]] output_shape [1, %dim, 2, 8] : tensor<1x?x16xf32> into tensor<1x?x2x8xf32>
      %15 = tensor.empty(%dim) : tensor<1x2x?x8xf32>
      %transposed_5 = linalg.transpose ins(%expanded_4 : tensor<1x?x2x8xf32>) outs(%15 : tensor<1x2x?x8xf32>) permutation = [0, 2, 1, 3] 
      %expanded_6 = tensor.expand_shape %transposed_2 [[0], [1], [2, 3], [4]] output_shape [1, 2, 1, %dim, 8] : tensor<1x2x?x8xf32> into tensor<1x2x1x?x8xf32>
      %16 = tensor.empty(%dim) : tensor<1x2x2x?x8xf32>
      %17 = linalg.generic {indexing_maps = [#map3, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%expanded_6 : tensor<1x2x1x?x8xf32>) outs(%16 : tensor<1x2x2x?x8xf32>) {
      ^bb0(%in: f32, %out: f32):
        linalg.yield %in : f32
      } -> tensor<1x2x2x?x8xf32>
      %collapsed = tensor.collapse_shape %17 [[0], [1, 2], [3], [4]] : tensor<1x2x2x?x8xf32> into tensor<1x4x?x8xf32>
      %expanded_7 = tensor.expand_shape %transposed_5 [[0], [1], [2, 3], [4]] output_shape [1, 2, 1, %dim, 8] : tensor<1x2x?x8xf32> into tensor<1x2x1x?x8xf32>
      %18 = tensor.empty(%dim) : tensor<1x2x2x?x8xf32>
      %19 = linalg.generic {indexing_maps = [#map3, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%expanded_7 : tensor<1x2x1x?x8xf32>) outs(%18 : tensor<1x2x2x?x8xf32>) {
      ^bb0(%in: f32, %out: f32):
        linalg.yield %in : f32
      } -> tensor<1x2x2x?x8xf32>
      %collapsed_8 = tensor.collapse_shape %19 [[0], [1, 2], [3], [4]] : tensor<1x2x2x?x8xf32> into tensor<1x4x?x8xf32>
      %20 = tensor.empty(%dim) : tensor<1x4x8x?xf32>
      %transposed_9 = linalg.transpose ins(%collapsed : tensor<1x4x?x8xf32>) outs(%20 : tensor<1x4x8x?xf32>) permutation = [0, 1, 3, 2] 
      %21 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %cst_10 = arith.constant 0.000000e+00 : f32
      %22 = linalg.fill ins(%cst_10 : f32) outs(%21 : tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
      %23 = linalg.generic {indexing_maps = [#map5, #map6, #map7], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%transposed, %transposed_9 : tensor<1x4x?x8xf32>, tensor<1x4x8x?xf32>) outs(%22 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %in_21: f32, %out: f32):
        %61 = arith.mulf %in, %in_21 : f32
        %62 = arith.addf %out, %61 : f32
        linalg.yield %62 : f32
      } -> tensor<1x4x?x?xf32>
      %24 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %25 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%23 : tensor<1x4x?x?xf32>) outs(%24 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %cst_21 = arith.constant 84.8528137 : f32
        %61 = arith.divf %in, %cst_21 : f32
        linalg.yield %61 : f32
      } -> tensor<1x4x?x?xf32>
      %26 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %27 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%25 : tensor<1x4x?x?xf32>) outs(%26 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %61 = math.tanh %in : f32
        linalg.yield %61 : f32
      } -> tensor<1x4x?x?xf32>
      %28 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %29 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%27 : tensor<1x4x?x?xf32>) outs(%28 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %cst_21 = arith.constant 3.000000e+01 : f32
        %61 = arith.mulf %in, %cst_21 : f32
        linalg.yield %61 : f32
      } -> tensor<1x4x?x?xf32>
      %30 = tensor.empty(%dim) : tensor<?xi64>
      %31 = linalg.generic {indexing_maps = [#map9], iterator_types = ["parallel"]} outs(%30 : tensor<?xi64>) {
      ^bb0(%out: i64):
        %61 = linalg.index 0 : index
        %62 = arith.index_cast %61 : index to i64
        linalg.yield %62 : i64
      } -> tensor<?xi64>
      %expanded_11 = tensor.expand_shape %31 [[0, 1]] output_shape [%dim, 1] : tensor<?xi64> into tensor<?x1xi64>
      %expanded_12 = tensor.expand_shape %31 [[0, 1]] output_shape [1, %dim] : tensor<?xi64> into tensor<1x?xi64>
      %32 = tensor.empty(%dim, %dim) : tensor<?x?xi64>
      %33 = linalg.generic {indexing_maps = [#map10, #map11, #map12], iterator_types = ["parallel", "parallel"]} ins(%expanded_11, %expanded_12 : tensor<?x1xi64>, tensor<1x?xi64>) outs(%32 : tensor<?x?xi64>) {
      ^bb0(%in: i64, %in_21: i64, %out: i64):
        %61 = arith.subi %in, %in_21 : i64
        linalg.yield %61 : i64
      } -> tensor<?x?xi64>
      %34 = tensor.empty(%dim, %dim) : tensor<?x?xi1>
      %35 = linalg.generic {indexing_maps = [#map12, #map12], iterator_types = ["parallel", "parallel"]} ins(%33 : tensor<?x?xi64>) outs(%34 : tensor<?x?xi1>) {
      ^bb0(%in: i64, %out: i1):
        %c0_i64 = arith.constant 0 : i64
        %61 = arith.cmpi sge, %in, %c0_i64 : i64
        linalg.yield %61 : i1
      } -> tensor<?x?xi1>
      %36 = tensor.empty(%dim, %dim) : tensor<?x?xi1>
      %37 = linalg.generic {indexing_maps = [#map12, #map12], iterator_types = ["parallel", "parallel"]} ins(%33 : tensor<?x?xi64>) outs(%36 : tensor<?x?xi1>) {
      ^bb0(%in: i64, %out: i1):
        %c5_i64 = arith.constant 5 : i64
        %61 = arith.cmpi slt, %in, %c5_i64 : i64
        linalg.yield %61 : i1
      } -> tensor<?x?xi1>
      %38 = tensor.empty(%dim, %dim) : tensor<?x?xi1>
      %39 = linalg.generic {indexing_maps = [#map12, #map12, #map12], iterator_types = ["parallel", "parallel"]} ins(%35, %37 : tensor<?x?xi1>, tensor<?x?xi1>) outs(%38 : tensor<?x?xi1>) {
      ^bb0(%in: i1, %in_21: i1, %out: i1):
        %61 = arith.andi %in, %in_21 : i1
        linalg.yield %61 : i1
      } -> tensor<?x?xi1>
      %40 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %41 = linalg.generic {indexing_maps = [#map1, #map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%39, %29 : tensor<?x?xi1>, tensor<1x4x?x?xf32>) outs(%40 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: i1, %in_21: f32, %out: f32):
        %cst_22 = arith.constant 0xFF800000 : f32
        %61 = arith.select %in, %in_21, %cst_22 : f32
        linalg.yield %61 : f32
      } -> tensor<1x4x?x?xf32>
      %42 = tensor.empty(%dim) : tensor<1x4x?xf32>
      %cst_13 = arith.constant 0xFF800000 : f32
      %43 = linalg.fill ins(%cst_13 : f32) outs(%42 : tensor<1x4x?xf32>) -> tensor<1x4x?xf32>
      %44 = linalg.generic {indexing_maps = [#map8, #map2], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%41 : tensor<1x4x?x?xf32>) outs(%43 : tensor<1x4x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %61 = arith.maximumf %in, %out : f32
        linalg.yield %61 : f32
      } -> tensor<1x4x?xf32>
      %expanded_14 = tensor.expand_shape %44 [[0], [1], [2, 3]] output_shape [1, 4, %dim, 1] : tensor<1x4x?xf32> into tensor<1x4x?x1xf32>
      %45 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %46 = linalg.generic {indexing_maps = [#map8, #map13, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%41, %expanded_14 : tensor<1x4x?x?xf32>, tensor<1x4x?x1xf32>) outs(%45 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %in_21: f32, %out: f32):
        %61 = arith.subf %in, %in_21 : f32
        linalg.yield %61 : f32
      } -> tensor<1x4x?x?xf32>
      %47 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %48 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%46 : tensor<1x4x?x?xf32>) outs(%47 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %61 = math.exp %in : f32
        linalg.yield %61 : f32
      } -> tensor<1x4x?x?xf32>
      %49 = tensor.empty(%dim) : tensor<1x4x?xf32>
      %cst_15 = arith.constant 0.000000e+00 : f32
      %50 = linalg.fill ins(%cst_15 : f32) outs(%49 : tensor<1x4x?xf32>) -> tensor<1x4x?xf32>
      %51 = linalg.generic {indexing_maps = [#map8, #map2], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%48 : tensor<1x4x?x?xf32>) outs(%50 : tensor<1x4x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %61 = arith.addf %in, %out : f32
        linalg.yield %61 : f32
      } -> tensor<1x4x?xf32>
      %expanded_16 = tensor.expand_shape %51 [[0], [1], [2, 3]] output_shape [1, 4, %dim, 1] : tensor<1x4x?xf32> into tensor<1x4x?x1xf32>
      %52 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %53 = linalg.generic {indexing_maps = [#map8, #map13, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%48, %expanded_16 : tensor<1x4x?x?xf32>, tensor<1x4x?x1xf32>) outs(%52 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %in_21: f32, %out: f32):
        %61 = arith.divf %in, %in_21 : f32
        linalg.yield %61 : f32
      } -> tensor<1x4x?x?xf32>
      %54 = tensor.empty(%dim) : tensor<1x4x?x8xf32>
      %cst_17 = arith.constant 0.000000e+00 : f32
      %55 = linalg.fill ins(%cst_17 : f32) outs(%54 : tensor<1x4x?x8xf32>) -> tensor<1x4x?x8xf32>
      %56 = linalg.generic {indexing_maps = [#map5, #map6, #map7], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%53, %collapsed_8 : tensor<1x4x?x?xf32>, tensor<1x4x?x8xf32>) outs(%55 : tensor<1x4x?x8xf32>) {
      ^bb0(%in: f32, %in_21: f32, %out: f32):
        %61 = arith.mulf %in, %in_21 : f32
        %62 = arith.addf %out, %61 : f32
        linalg.yield %62 : f32
      } -> tensor<1x4x?x8xf32>
      %57 = tensor.empty(%dim) : tensor<1x?x4x8xf32>
      %transposed_18 = linalg.transpose ins(%56 : tensor<1x4x?x8xf32>) outs(%57 : tensor<1x?x4x8xf32>) permutation = [0, 2, 1, 3] 
      %collapsed_19 = tensor.collapse_shape %transposed_18 [[0], [1], [2, 3]] : tensor<1x?x4x8xf32> into tensor<1x?x32xf32>
      %58 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %cst_20 = arith.constant 0.000000e+00 : f32
      %59 = linalg.fill ins(%cst_20 : f32) outs(%58 : tensor<1x?x32xf32>) -> tensor<1x?x32xf32>
      %60 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%collapsed_19, %3 : tensor<1x?x32xf32>, tensor<32x32xf32>) outs(%59 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_21: f32, %out: f32):
        %61 = arith.mulf %in, %in_21 : f32
        %62 = arith.addf %out, %61 : f32
        linalg.yield %62 : f32
      } -> tensor<1x?x32xf32>
      return %60 : tensor<1x?x32xf32>
    }
  }
}
