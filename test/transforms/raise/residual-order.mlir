// Sums take their operands in the order of the code, so that equal layers are equal ops and can be rolled.
// RUN: llmir-opt %s --pass-pipeline='builtin.module(llm.graph(llm-raise))' | FileCheck %s
// CHECK: %[[FIRST:.*]] = llm.linear %arg1, %{{.*}}
// CHECK: %[[SUM:.*]] = arith.addf %arg1, %[[FIRST]]
// CHECK: %[[SECOND:.*]] = llm.linear %[[SUM]], %{{.*}}
// CHECK: %[[RESULT:.*]] = arith.addf %[[SUM]], %[[SECOND]]
// CHECK-NEXT: return %[[RESULT]]
#one = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#x = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
#w = affine_map<(d0, d1, d2, d3) -> (d2, d3)>
#out = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
llm.graph @g attributes {source = "m.pt2"} {
  llm.weight @a : tensor<8x8xf32> from "a"
  llm.weight @b : tensor<8x8xf32> from "b"
  func.func @forward(%x: tensor<1x?x8xf32>) -> tensor<1x?x8xf32> {
    %c1 = arith.constant 1 : index
    %zero = arith.constant 0.0 : f32
    %T = tensor.dim %x, %c1 : tensor<1x?x8xf32>
    %rows = tensor.empty(%T) : tensor<1x?x8xf32>
    %rows0 = linalg.fill ins(%zero : f32) outs(%rows : tensor<1x?x8xf32>) -> tensor<1x?x8xf32>
    %a = llm.get_weight @a : tensor<8x8xf32>
    %b = llm.get_weight @b : tensor<8x8xf32>
    %first = linalg.generic {indexing_maps = [#x, #w, #out], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%x, %a : tensor<1x?x8xf32>, tensor<8x8xf32>) outs(%rows0 : tensor<1x?x8xf32>) {
    ^bb0(%l: f32, %r: f32, %o: f32):
      %m = arith.mulf %l, %r : f32
      %s = arith.addf %o, %m : f32
      linalg.yield %s : f32
    } -> tensor<1x?x8xf32>
    %sum = linalg.generic {indexing_maps = [#one, #one, #one], iterator_types = ["parallel", "parallel", "parallel"]} ins(%first, %x : tensor<1x?x8xf32>, tensor<1x?x8xf32>) outs(%rows : tensor<1x?x8xf32>) {
    ^bb0(%l: f32, %r: f32, %o: f32):
      %s = arith.addf %l, %r : f32
      linalg.yield %s : f32
    } -> tensor<1x?x8xf32>
    %second = linalg.generic {indexing_maps = [#x, #w, #out], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%sum, %b : tensor<1x?x8xf32>, tensor<8x8xf32>) outs(%rows0 : tensor<1x?x8xf32>) {
    ^bb0(%l: f32, %r: f32, %o: f32):
      %m = arith.mulf %l, %r : f32
      %s = arith.addf %o, %m : f32
      linalg.yield %s : f32
    } -> tensor<1x?x8xf32>
    %result = linalg.generic {indexing_maps = [#one, #one, #one], iterator_types = ["parallel", "parallel", "parallel"]} ins(%second, %sum : tensor<1x?x8xf32>, tensor<1x?x8xf32>) outs(%rows : tensor<1x?x8xf32>) {
    ^bb0(%l: f32, %r: f32, %o: f32):
      %s = arith.addf %l, %r : f32
      linalg.yield %s : f32
    } -> tensor<1x?x8xf32>
    return %result : tensor<1x?x8xf32>
  }
}
