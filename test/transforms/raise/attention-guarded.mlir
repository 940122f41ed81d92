// Attention as PyTorch decomposes SDPA: half of the scale on either side, and 0 instead of the weights of rows that see no key.
// RUN: llmir-opt %s --pass-pipeline='builtin.module(llm.graph(llm-raise))' | FileCheck %s
// RUN: sed 's/constant 0xFF800000 : f32 \/\/ empty/constant 1.0 : f32/' %s | not llmir-opt --pass-pipeline='builtin.module(llm.graph(llm-raise))' 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: sed 's/cmpi sle, /cmpi slt, /' %s | not llmir-opt --pass-pipeline='builtin.module(llm.graph(llm-raise))' 2>&1 | FileCheck %s --check-prefix=EMPTY
// OTHER: error: cannot be raised to llm ops: no embedding, linear, norm, rotation, attention or element-wise op of the dialect computes it
// EMPTY: error: cannot be raised to llm ops: the mask of attention is neither causal nor a causal window
// CHECK-LABEL: func.func @forward(%arg0: !llm.batch<mixed>, %arg1: tensor<?x8xf32>) -> tensor<?x8xf32>
// CHECK: %[[RESULT:.*]] = llm.dense_attention %arg1, %arg1, %arg1, %arg0 {heads = 1 : i64, scale = 2.500000e-01 : f64} :
// CHECK-NEXT: return %[[RESULT]]
#one = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#q = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
#k = affine_map<(d0, d1, d2, d3) -> (d0, d2, d3)>
#v = affine_map<(d0, d1, d2, d3) -> (d0, d3, d2)>
#out = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#row = affine_map<(d0, d1, d2) -> (d0, d1)>
llm.graph @g attributes {source = "m.pt2"} {
  func.func @forward(%x: tensor<1x?x8xf32>) -> tensor<1x?x8xf32> {
    %c1 = arith.constant 1 : index
    %zero = arith.constant 0.0 : f32
    %half = arith.constant 0.5 : f32
    %least = arith.constant 0xFF800000 : f32
    %empty = arith.constant 0xFF800000 : f32 // empty
    %true = arith.constant true
    %false = arith.constant false
    %T = tensor.dim %x, %c1 : tensor<1x?x8xf32>
    %rows = tensor.empty(%T) : tensor<1x?x8xf32>
    %square = tensor.empty(%T, %T) : tensor<1x?x?xf32>
    %bits = tensor.empty(%T, %T) : tensor<1x?x?xi1>
    %line = tensor.empty(%T) : tensor<1x?xf32>
    %lineBits = tensor.empty(%T) : tensor<1x?xi1>
    %half_x = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel", "parallel", "parallel"]} ins(%x : tensor<1x?x8xf32>) outs(%rows : tensor<1x?x8xf32>) {
    ^bb0(%a: f32, %o: f32):
      %m = arith.mulf %a, %half : f32
      linalg.yield %m : f32
    } -> tensor<1x?x8xf32>
    %square0 = linalg.fill ins(%zero : f32) outs(%square : tensor<1x?x?xf32>) -> tensor<1x?x?xf32>
    %dot = linalg.generic {indexing_maps = [#q, #k, #out], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%half_x, %half_x : tensor<1x?x8xf32>, tensor<1x?x8xf32>) outs(%square0 : tensor<1x?x?xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %m = arith.mulf %a, %b : f32
      %s = arith.addf %o, %m : f32
      linalg.yield %s : f32
    } -> tensor<1x?x?xf32>
    %scores = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel", "parallel", "parallel"]} ins(%dot : tensor<1x?x?xf32>) outs(%square : tensor<1x?x?xf32>) {
    ^bb0(%a: f32, %o: f32):
      %i = linalg.index 1 : index
      %j = linalg.index 2 : index
      %sees = arith.cmpi sle, %j, %i : index
      %mask = arith.select %sees, %zero, %least : f32
      %s = arith.addf %a, %mask : f32
      linalg.yield %s : f32
    } -> tensor<1x?x?xf32>
    %line0 = linalg.fill ins(%least : f32) outs(%line : tensor<1x?xf32>) -> tensor<1x?xf32>
    %max = linalg.generic {indexing_maps = [#one, #row], iterator_types = ["parallel", "parallel", "reduction"]} ins(%scores : tensor<1x?x?xf32>) outs(%line0 : tensor<1x?xf32>) {
    ^bb0(%a: f32, %o: f32):
      %m = arith.maximumf %a, %o : f32
      linalg.yield %m : f32
    } -> tensor<1x?xf32>
    %exp = linalg.generic {indexing_maps = [#one, #row, #one], iterator_types = ["parallel", "parallel", "parallel"]} ins(%scores, %max : tensor<1x?x?xf32>, tensor<1x?xf32>) outs(%square : tensor<1x?x?xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %d = arith.subf %a, %b : f32
      %e = math.exp %d : f32
      linalg.yield %e : f32
    } -> tensor<1x?x?xf32>
    %line1 = linalg.fill ins(%zero : f32) outs(%line : tensor<1x?xf32>) -> tensor<1x?xf32>
    %sum = linalg.generic {indexing_maps = [#one, #row], iterator_types = ["parallel", "parallel", "reduction"]} ins(%exp : tensor<1x?x?xf32>) outs(%line1 : tensor<1x?xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %a, %o : f32
      linalg.yield %s : f32
    } -> tensor<1x?xf32>
    %isSeen = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel", "parallel", "parallel"]} ins(%scores : tensor<1x?x?xf32>) outs(%bits : tensor<1x?x?xi1>) {
    ^bb0(%a: f32, %o: i1):
      %e = arith.cmpf oeq, %a, %empty : f32
      %n = arith.xori %e, %true : i1
      linalg.yield %n : i1
    } -> tensor<1x?x?xi1>
    %lineBits0 = linalg.fill ins(%false : i1) outs(%lineBits : tensor<1x?xi1>) -> tensor<1x?xi1>
    %any = linalg.generic {indexing_maps = [#one, #row], iterator_types = ["parallel", "parallel", "reduction"]} ins(%isSeen : tensor<1x?x?xi1>) outs(%lineBits0 : tensor<1x?xi1>) {
    ^bb0(%a: i1, %o: i1):
      %s = arith.ori %a, %o : i1
      linalg.yield %s : i1
    } -> tensor<1x?xi1>
    %weights = linalg.generic {indexing_maps = [#one, #row, #row, #one], iterator_types = ["parallel", "parallel", "parallel"]} ins(%exp, %sum, %any : tensor<1x?x?xf32>, tensor<1x?xf32>, tensor<1x?xi1>) outs(%square : tensor<1x?x?xf32>) {
    ^bb0(%a: f32, %b: f32, %c: i1, %o: f32):
      %w = arith.divf %a, %b : f32
      %none = arith.xori %c, %true : i1
      %s = arith.select %none, %zero, %w : f32
      linalg.yield %s : f32
    } -> tensor<1x?x?xf32>
    %rows0 = linalg.fill ins(%zero : f32) outs(%rows : tensor<1x?x8xf32>) -> tensor<1x?x8xf32>
    %result = linalg.generic {indexing_maps = [#q, #v, #out], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%weights, %x : tensor<1x?x?xf32>, tensor<1x?x8xf32>) outs(%rows0 : tensor<1x?x8xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %m = arith.mulf %a, %b : f32
      %s = arith.addf %o, %m : f32
      linalg.yield %s : f32
    } -> tensor<1x?x8xf32>
    return %result : tensor<1x?x8xf32>
  }
}
