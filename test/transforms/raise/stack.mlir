// torch.stack as PyTorch decomposes it: sequences one behind the other, and their dimension split.
// RUN: llmir-opt %s --pass-pipeline='builtin.module(llm.graph(llm-raise))' | FileCheck %s
// RUN: sed 's/concat dim(1) %x, %y/concat dim(1) %x, %early/' %s | not llmir-opt --pass-pipeline='builtin.module(llm.graph(llm-raise))' 2>&1 | FileCheck %s --check-prefix=SHORT
// SHORT: error: cannot be raised to llm ops: 'tensor.extract_slice' is used in a way that raising does not know
// RUN: sed 's/concat dim(1) %x, %y : (tensor<1x?x8xf32>, /concat dim(1) %x, %y, %x : (tensor<1x?x8xf32>, tensor<1x?x8xf32>, /' %s | not llmir-opt --pass-pipeline='builtin.module(llm.graph(llm-raise))' 2>&1 | FileCheck %s --check-prefix=THREE
// THREE: error: cannot be raised to llm ops: 'tensor.expand_shape' is used in a way that raising does not know
// CHECK-LABEL: func.func @forward(%arg0: !llm.batch<mixed>, %arg1: tensor<?x8xf32>) -> tensor<?x8xf32>
// CHECK-NEXT: %[[RESULT:.*]] = llm.scale %arg1 by 2.000000e+00
// CHECK-NEXT: return %[[RESULT]]
#one = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
llm.graph @g attributes {source = "m.pt2"} {
  func.func @forward(%x: tensor<1x?x8xf32>) -> tensor<1x?x8xf32> {
    %c1 = arith.constant 1 : index
    %two = arith.constant 2.0 : f32
    %T = tensor.dim %x, %c1 : tensor<1x?x8xf32>
    %less = arith.subi %T, %c1 : index
    %early = tensor.extract_slice %x[0, 0, 0] [1, %less, 8] [1, 1, 1] : tensor<1x?x8xf32> to tensor<1x?x8xf32>
    %rows = tensor.empty(%T) : tensor<1x?x8xf32>
    %y = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel", "parallel", "parallel"]} ins(%x : tensor<1x?x8xf32>) outs(%rows : tensor<1x?x8xf32>) {
    ^bb0(%a: f32, %o: f32):
      %m = arith.mulf %a, %two : f32
      linalg.yield %m : f32
    } -> tensor<1x?x8xf32>
    %both = tensor.concat dim(1) %x, %y : (tensor<1x?x8xf32>, tensor<1x?x8xf32>) -> tensor<1x?x8xf32>
    %stack = tensor.expand_shape %both [[0], [1, 2], [3]] output_shape [1, 2, %T, 8] : tensor<1x?x8xf32> into tensor<1x2x?x8xf32>
    %second = tensor.extract_slice %stack[0, 1, 0, 0] [1, 1, %T, 8] [1, 1, 1, 1] : tensor<1x2x?x8xf32> to tensor<1x?x8xf32>
    return %second : tensor<1x?x8xf32>
  }
}
