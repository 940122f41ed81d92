// Attention as torch.export spells it: KV heads by repeat_interleave, an additive causal mask, softmax written out.
// RUN: llmir-opt %s --pass-pipeline='builtin.module(llm.graph(llm-raise))' | FileCheck %s
// RUN: sed 's/constant 0xFF800000/constant -1.0/' %s | not llmir-opt --pass-pipeline='builtin.module(llm.graph(llm-raise))' 2>&1 | FileCheck %s --check-prefix=FINITE
// FINITE: error: cannot be raised to llm ops: the mask of attention gives different finite scores: only 0 and values up to -10000 can be raised
// RUN: sed 's/cmpi sge, /cmpi slt, /' %s | not llmir-opt --pass-pipeline='builtin.module(llm.graph(llm-raise))' 2>&1 | FileCheck %s --check-prefix=FUTURE
// FUTURE: error: cannot be raised to llm ops: the mask of attention is neither causal nor a causal window
// RUN: sed 's/cmpi sge, %54, %55/cmpi sgt, %54, %54/' %s | not llmir-opt --pass-pipeline='builtin.module(llm.graph(llm-raise))' 2>&1 | FileCheck %s --check-prefix=UNMASKED
// UNMASKED: error: cannot be raised to llm ops: attention without a mask: only causal attention can be raised
// CHECK-LABEL: func.func @forward(%arg0: !llm.batch<mixed>, %arg1: tensor<?x32xf32>) -> tensor<?x32xf32>
// CHECK-NOT: linalg
// CHECK-COUNT-3: llm.linear
// CHECK: llm.dense_attention %{{.*}}, %arg0 {heads = 2 : i64, scale = 0.353{{[0-9]*}} : f64} :
// CHECK-NEXT: llm.get_weight @o.weight
// CHECK-NEXT: llm.linear
// CHECK-NEXT: return
#map = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
#map1 = affine_map<(d0, d1, d2, d3) -> (d2, d3)>
#map2 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map3 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, 0, d3, d4)>
#map4 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
#map5 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>
#map6 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d4, d3)>
#map7 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>
#map8 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map9 = affine_map<(d0, d1) -> (d0, d1)>
#map10 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
module {
  llm.graph @forward_graph attributes {source = "additive_triu.pt2"} {
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
      ^bb0(%in: f32, %in_20: f32, %out: f32):
        %51 = arith.mulf %in, %in_20 : f32
        %52 = arith.addf %out, %51 : f32
        linalg.yield %52 : f32
      } -> tensor<1x?x32xf32>
      %expanded = tensor.expand_shape %6 [[0], [1], [2, 3]] output_shape [1, %dim, 4, 8] : tensor<1x?x32xf32> into tensor<1x?x4x8xf32>
      %7 = tensor.empty(%dim) : tensor<1x4x?x8xf32>
      %transposed = linalg.transpose ins(%expanded : tensor<1x?x4x8xf32>) outs(%7 : tensor<1x4x?x8xf32>) permutation = [0, 2, 1, 3] 
      %8 = tensor.empty(%dim) : tensor<1x?x16xf32>
      %cst_0 = arith.constant 0.000000e+00 : f32
      %9 = linalg.fill ins(%cst_0 : f32) outs(%8 : tensor<1x?x16xf32>) -> tensor<1x?x16xf32>
      %10 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%arg0, %1 : tensor<1x?x32xf32>, tensor<16x32xf32>) outs(%9 : tensor<1x?x16xf32>) {
      ^bb0(%in: f32, %in_20: f32, %out: f32):
        %51 = arith.mulf %in, %in_20 : f32
        %52 = arith.addf %out, %51 : f32
        linalg.yield %52 : f32
      } -> tensor<1x?x16xf32>
      %expanded_1 = tensor.expand_shape %10 [[0], [1], [2, 3]] output_shape [1, %dim, 2, 8] : tensor<1x?x16xf32> into tensor<1x?x2x8xf32>
      %11 = tensor.empty(%dim) : tensor<1x2x?x8xf32>
      %transposed_2 = linalg.transpose ins(%expanded_1 : tensor<1x?x2x8xf32>) outs(%11 : tensor<1x2x?x8xf32>) permutation = [0, 2, 1, 3] 
      %12 = tensor.empty(%dim) : tensor<1x?x16xf32>
      %cst_3 = arith.constant 0.000000e+00 : f32
      %13 = linalg.fill ins(%cst_3 : f32) outs(%12 : tensor<1x?x16xf32>) -> tensor<1x?x16xf32>
      %14 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%arg0, %2 : tensor<1x?x32xf32>, tensor<16x32xf32>) outs(%13 : tensor<1x?x16xf32>) {
      ^bb0(%in: f32, %in_20: f32, %out: f32):
        %51 = arith.mulf %in, %in_20 : f32
        %52 = arith.addf %out, %51 : f32
        linalg.yield %52 : f32
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
      ^bb0(%in: f32, %in_20: f32, %out: f32):
        %51 = arith.mulf %in, %in_20 : f32
        %52 = arith.addf %out, %51 : f32
        linalg.yield %52 : f32
      } -> tensor<1x4x?x?xf32>
      %24 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %25 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%23 : tensor<1x4x?x?xf32>) outs(%24 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %cst_20 = arith.constant 0.353553385 : f32
        %51 = arith.mulf %in, %cst_20 : f32
        linalg.yield %51 : f32
      } -> tensor<1x4x?x?xf32>
      %26 = tensor.empty(%dim, %dim) : tensor<?x?xf32>
      %cst_11 = arith.constant 0xFF800000 : f32
      %27 = linalg.fill ins(%cst_11 : f32) outs(%26 : tensor<?x?xf32>) -> tensor<?x?xf32>
      %28 = tensor.empty(%dim, %dim) : tensor<?x?xf32>
      %29 = linalg.generic {indexing_maps = [#map9, #map9], iterator_types = ["parallel", "parallel"]} ins(%27 : tensor<?x?xf32>) outs(%28 : tensor<?x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %51 = linalg.index 0 : index
        %52 = arith.index_cast %51 : index to i64
        %53 = linalg.index 1 : index
        %54 = arith.index_cast %53 : index to i64
        %c1_i64 = arith.constant 1 : i64
        %55 = arith.addi %52, %c1_i64 : i64
        %56 = arith.cmpi sge, %54, %55 : i64
        %cst_20 = arith.constant 0.000000e+00 : f32
        %57 = arith.select %56, %in, %cst_20 : f32
        linalg.yield %57 : f32
      } -> tensor<?x?xf32>
      %30 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %31 = linalg.generic {indexing_maps = [#map8, #map1, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%25, %29 : tensor<1x4x?x?xf32>, tensor<?x?xf32>) outs(%30 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %in_20: f32, %out: f32):
        %51 = arith.addf %in, %in_20 : f32
        linalg.yield %51 : f32
      } -> tensor<1x4x?x?xf32>
      %32 = tensor.empty(%dim) : tensor<1x4x?xf32>
      %cst_12 = arith.constant 0xFF800000 : f32
      %33 = linalg.fill ins(%cst_12 : f32) outs(%32 : tensor<1x4x?xf32>) -> tensor<1x4x?xf32>
      %34 = linalg.generic {indexing_maps = [#map8, #map2], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%31 : tensor<1x4x?x?xf32>) outs(%33 : tensor<1x4x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %51 = arith.maximumf %in, %out : f32
        linalg.yield %51 : f32
      } -> tensor<1x4x?xf32>
      %expanded_13 = tensor.expand_shape %34 [[0], [1], [2, 3]] output_shape [1, 4, %dim, 1] : tensor<1x4x?xf32> into tensor<1x4x?x1xf32>
      %35 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %36 = linalg.generic {indexing_maps = [#map8, #map10, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%31, %expanded_13 : tensor<1x4x?x?xf32>, tensor<1x4x?x1xf32>) outs(%35 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %in_20: f32, %out: f32):
        %51 = arith.subf %in, %in_20 : f32
        linalg.yield %51 : f32
      } -> tensor<1x4x?x?xf32>
      %37 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %38 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%36 : tensor<1x4x?x?xf32>) outs(%37 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %51 = math.exp %in : f32
        linalg.yield %51 : f32
      } -> tensor<1x4x?x?xf32>
      %39 = tensor.empty(%dim) : tensor<1x4x?xf32>
      %cst_14 = arith.constant 0.000000e+00 : f32
      %40 = linalg.fill ins(%cst_14 : f32) outs(%39 : tensor<1x4x?xf32>) -> tensor<1x4x?xf32>
      %41 = linalg.generic {indexing_maps = [#map8, #map2], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%38 : tensor<1x4x?x?xf32>) outs(%40 : tensor<1x4x?xf32>) {
      ^bb0(%in: f32, %out: f32):
        %51 = arith.addf %in, %out : f32
        linalg.yield %51 : f32
      } -> tensor<1x4x?xf32>
      %expanded_15 = tensor.expand_shape %41 [[0], [1], [2, 3]] output_shape [1, 4, %dim, 1] : tensor<1x4x?xf32> into tensor<1x4x?x1xf32>
      %42 = tensor.empty(%dim, %dim) : tensor<1x4x?x?xf32>
      %43 = linalg.generic {indexing_maps = [#map8, #map10, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%38, %expanded_15 : tensor<1x4x?x?xf32>, tensor<1x4x?x1xf32>) outs(%42 : tensor<1x4x?x?xf32>) {
      ^bb0(%in: f32, %in_20: f32, %out: f32):
        %51 = arith.divf %in, %in_20 : f32
        linalg.yield %51 : f32
      } -> tensor<1x4x?x?xf32>
      %44 = tensor.empty(%dim) : tensor<1x4x?x8xf32>
      %cst_16 = arith.constant 0.000000e+00 : f32
      %45 = linalg.fill ins(%cst_16 : f32) outs(%44 : tensor<1x4x?x8xf32>) -> tensor<1x4x?x8xf32>
      %46 = linalg.generic {indexing_maps = [#map5, #map6, #map7], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%43, %collapsed_8 : tensor<1x4x?x?xf32>, tensor<1x4x?x8xf32>) outs(%45 : tensor<1x4x?x8xf32>) {
      ^bb0(%in: f32, %in_20: f32, %out: f32):
        %51 = arith.mulf %in, %in_20 : f32
        %52 = arith.addf %out, %51 : f32
        linalg.yield %52 : f32
      } -> tensor<1x4x?x8xf32>
      %47 = tensor.empty(%dim) : tensor<1x?x4x8xf32>
      %transposed_17 = linalg.transpose ins(%46 : tensor<1x4x?x8xf32>) outs(%47 : tensor<1x?x4x8xf32>) permutation = [0, 2, 1, 3] 
      %collapsed_18 = tensor.collapse_shape %transposed_17 [[0], [1], [2, 3]] : tensor<1x?x4x8xf32> into tensor<1x?x32xf32>
      %48 = tensor.empty(%dim) : tensor<1x?x32xf32>
      %cst_19 = arith.constant 0.000000e+00 : f32
      %49 = linalg.fill ins(%cst_19 : f32) outs(%48 : tensor<1x?x32xf32>) -> tensor<1x?x32xf32>
      %50 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%collapsed_18, %3 : tensor<1x?x32xf32>, tensor<32x32xf32>) outs(%49 : tensor<1x?x32xf32>) {
      ^bb0(%in: f32, %in_20: f32, %out: f32):
        %51 = arith.mulf %in, %in_20 : f32
        %52 = arith.addf %out, %51 : f32
        linalg.yield %52 : f32
      } -> tensor<1x?x32xf32>
      return %50 : tensor<1x?x32xf32>
    }
  }
}
