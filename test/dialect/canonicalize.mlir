// Folds, and what canonicalisation must leave alone.
// RUN: llmir-opt %s -canonicalize | FileCheck %s

// CHECK-LABEL: func.func @scale_by_one
func.func @scale_by_one(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // CHECK-NEXT: return %arg0
  %y = llm.scale %x by 1.0 : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// CHECK-LABEL: func.func @scale_by_two
func.func @scale_by_two(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // CHECK-NEXT: llm.scale %arg0 by 2.000000e+00
  %y = llm.scale %x by 2.0 : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// An op without side effects whose result nobody uses goes away.
// CHECK-LABEL: func.func @dead
func.func @dead(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // CHECK-NEXT: return %arg0
  %y = llm.activate silu %x : tensor<?x8xf32>
  %z = llm.fuse tokens (%a = %y) : (tensor<?x8xf32>) -> tensor<?x8xf32> {
    %s = llm.softcap %a at 2.0 : tensor<?x8xf32>
    llm.yield %s : tensor<?x8xf32>
  }
  return %x : tensor<?x8xf32>
}
