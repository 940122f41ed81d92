// What the verifiers of the ops of mixtures of experts refuse, one case for every constraint.
// RUN: llmir-opt %s -split-input-file -verify-diagnostics

// moe C1
func.func @f(%x: tensor<?x64xf32>, %g: tensor<8x96x64xf32>, %u: tensor<8x96x64xf32>, %d: tensor<8x64x96xf32>, %r: tensor<?x7xf32>) {
  // expected-error@+1 {{'llm.moe' op C1: the router has 7 columns, there are 8 experts}}
  %0 = llm.moe silu %x, %g, %u, %d by softmax %r top 2 : (tensor<?x64xf32>, tensor<8x96x64xf32>, tensor<8x96x64xf32>, tensor<8x64x96xf32>, tensor<?x7xf32>) -> tensor<?x64xf32>
  return
}

// -----

// moe C2: gate has other columns than x
func.func @f(%x: tensor<?x64xf32>, %g: tensor<8x96x32xf32>, %u: tensor<8x96x32xf32>, %d: tensor<8x64x96xf32>, %r: tensor<?x8xf32>) {
  // expected-error@+1 {{C2: gate and up must be [8, 96, 64], down [8, 64, 96]}}
  %0 = llm.moe silu %x, %g, %u, %d by softmax %r top 2 : (tensor<?x64xf32>, tensor<8x96x32xf32>, tensor<8x96x32xf32>, tensor<8x64x96xf32>, tensor<?x8xf32>) -> tensor<?x64xf32>
  return
}

// -----

// moe C2: up is no gate
func.func @f(%x: tensor<?x64xf32>, %g: tensor<8x96x64xf32>, %u: tensor<8x95x64xf32>, %d: tensor<8x64x96xf32>, %r: tensor<?x8xf32>) {
  // expected-error@+1 {{C2: gate and up must be [8, 96, 64], down [8, 64, 96]}}
  %0 = llm.moe silu %x, %g, %u, %d by softmax %r top 2 : (tensor<?x64xf32>, tensor<8x96x64xf32>, tensor<8x95x64xf32>, tensor<8x64x96xf32>, tensor<?x8xf32>) -> tensor<?x64xf32>
  return
}

// -----

// moe C2: down has other rows than x has columns
func.func @f(%x: tensor<?x64xf32>, %g: tensor<8x96x64xf32>, %u: tensor<8x96x64xf32>, %d: tensor<8x63x96xf32>, %r: tensor<?x8xf32>) {
  // expected-error@+1 {{C2: gate and up must be [8, 96, 64], down [8, 64, 96]}}
  %0 = llm.moe silu %x, %g, %u, %d by softmax %r top 2 : (tensor<?x64xf32>, tensor<8x96x64xf32>, tensor<8x96x64xf32>, tensor<8x63x96xf32>, tensor<?x8xf32>) -> tensor<?x64xf32>
  return
}

// -----

// moe C2: down has other columns than gate has rows
func.func @f(%x: tensor<?x64xf32>, %g: tensor<8x96x64xf32>, %u: tensor<8x96x64xf32>, %d: tensor<8x64x95xf32>, %r: tensor<?x8xf32>) {
  // expected-error@+1 {{C2: gate and up must be [8, 96, 64], down [8, 64, 96]}}
  %0 = llm.moe silu %x, %g, %u, %d by softmax %r top 2 : (tensor<?x64xf32>, tensor<8x96x64xf32>, tensor<8x96x64xf32>, tensor<8x64x95xf32>, tensor<?x8xf32>) -> tensor<?x64xf32>
  return
}

// -----

// moe C2: down has other experts
func.func @f(%x: tensor<?x64xf32>, %g: tensor<8x96x64xf32>, %u: tensor<8x96x64xf32>, %d: tensor<7x64x96xf32>, %r: tensor<?x8xf32>) {
  // expected-error@+1 {{C2: gate and up must be [8, 96, 64], down [8, 64, 96]}}
  %0 = llm.moe silu %x, %g, %u, %d by softmax %r top 2 : (tensor<?x64xf32>, tensor<8x96x64xf32>, tensor<8x96x64xf32>, tensor<7x64x96xf32>, tensor<?x8xf32>) -> tensor<?x64xf32>
  return
}

// -----

// moe C3: none
func.func @f(%x: tensor<?x64xf32>, %g: tensor<8x96x64xf32>, %u: tensor<8x96x64xf32>, %d: tensor<8x64x96xf32>, %r: tensor<?x8xf32>) {
  // expected-error@+1 {{C3: top 0 of 8 experts}}
  %0 = llm.moe silu %x, %g, %u, %d by softmax %r top 0 : (tensor<?x64xf32>, tensor<8x96x64xf32>, tensor<8x96x64xf32>, tensor<8x64x96xf32>, tensor<?x8xf32>) -> tensor<?x64xf32>
  return
}

// -----

// moe C3: more than there are
func.func @f(%x: tensor<?x64xf32>, %g: tensor<8x96x64xf32>, %u: tensor<8x96x64xf32>, %d: tensor<8x64x96xf32>, %r: tensor<?x8xf32>) {
  // expected-error@+1 {{C3: top 9 of 8 experts}}
  %0 = llm.moe silu %x, %g, %u, %d by softmax %r top 9 : (tensor<?x64xf32>, tensor<8x96x64xf32>, tensor<8x96x64xf32>, tensor<8x64x96xf32>, tensor<?x8xf32>) -> tensor<?x64xf32>
  return
}

// -----

// moe C4: zero
func.func @f(%x: tensor<?x64xf32>, %g: tensor<8x96x64xf32>, %u: tensor<8x96x64xf32>, %d: tensor<8x64x96xf32>, %r: tensor<?x8xf32>) {
  // expected-error@+1 {{C4: scale must be positive and finite}}
  %0 = llm.moe silu %x, %g, %u, %d by softmax %r top 2 {scale = 0.0 : f64} : (tensor<?x64xf32>, tensor<8x96x64xf32>, tensor<8x96x64xf32>, tensor<8x64x96xf32>, tensor<?x8xf32>) -> tensor<?x64xf32>
  return
}

// -----

// moe C4: infinite
func.func @f(%x: tensor<?x64xf32>, %g: tensor<8x96x64xf32>, %u: tensor<8x96x64xf32>, %d: tensor<8x64x96xf32>, %r: tensor<?x8xf32>) {
  // expected-error@+1 {{C4: scale must be positive and finite}}
  %0 = llm.moe silu %x, %g, %u, %d by softmax %r top 2 {scale = 0x7FF0000000000000 : f64} : (tensor<?x64xf32>, tensor<8x96x64xf32>, tensor<8x96x64xf32>, tensor<8x64x96xf32>, tensor<?x8xf32>) -> tensor<?x64xf32>
  return
}

// -----

// moe: weights are lists of matrices
func.func @f(%x: tensor<?x64xf32>, %g: tensor<96x64xf32>, %r: tensor<?x8xf32>) {
  // expected-error@+1 {{operand #1 must be weight matrices of experts tensor<ExNxKxF>}}
  %0 = llm.moe silu %x, %g, %g, %g by softmax %r top 2 : (tensor<?x64xf32>, tensor<96x64xf32>, tensor<96x64xf32>, tensor<96x64xf32>, tensor<?x8xf32>) -> tensor<?x64xf32>
  return
}

// -----

// experts.route C1: results of different width
func.func @f(%r: tensor<?x8xf32>) {
  // expected-error@+1 {{C1: the results have 2 and 3 columns, they need the same, at most the router's 8}}
  %0, %1 = llm.experts.route sigmoid %r : (tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x3xf32>)
  return
}

// -----

// experts.route C1: more than there are
func.func @f(%r: tensor<?x8xf32>) {
  // expected-error@+1 {{C1: the results have 9 and 9 columns}}
  %0, %1 = llm.experts.route sigmoid %r : (tensor<?x8xf32>) -> (tensor<?x9xi32>, tensor<?x9xf32>)
  return
}

// -----

// experts.route C2
func.func @f(%r: tensor<?x8xf32>) {
  // expected-error@+1 {{C2: scale must be positive and finite}}
  %0, %1 = llm.experts.route sigmoid %r {scale = -1.0 : f64} : (tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  return
}

// -----

// experts.group C1: 0
func.func @f(%e: tensor<?x2xi32>) {
  // expected-error@+1 {{C1: there are 0 experts, 1 to 65536 are possible}}
  %0 = llm.experts.group %e of 0 : tensor<?x2xi32>
  return
}

// -----

// experts.group C1: 100000
func.func @f(%e: tensor<?x2xi32>) {
  // expected-error@+1 {{C1: there are 100000 experts, 1 to 65536 are possible}}
  %0 = llm.experts.group %e of 100000 : tensor<?x2xi32>
  return
}

// -----

// experts.linear C1
func.func @f(%x: tensor<?x32xf32>, %w: tensor<8x96x64xf32>, %e: tensor<?x2xi32>) {
  // expected-error@+1 {{C1: x has 32 columns and the weight 64}}
  %0 = llm.experts.linear %x, %w, %e, %e : (tensor<?x32xf32>, tensor<8x96x64xf32>, tensor<?x2xi32>, tensor<?x2xi32>) -> tensor<?x2x96xf32>
  return
}

// -----

// experts.linear C2: columns
func.func @f(%x: tensor<?x64xf32>, %w: tensor<8x96x64xf32>, %e: tensor<?x2xi32>) {
  // expected-error@+1 {{C2: the result must be [?, 2, 96]}}
  %0 = llm.experts.linear %x, %w, %e, %e : (tensor<?x64xf32>, tensor<8x96x64xf32>, tensor<?x2xi32>, tensor<?x2xi32>) -> tensor<?x2x95xf32>
  return
}

// -----

// experts.linear C2: ranks
func.func @f(%x: tensor<?x64xf32>, %w: tensor<8x96x64xf32>, %e: tensor<?x2xi32>) {
  // expected-error@+1 {{C2: the result must be [?, 2, 96]}}
  %0 = llm.experts.linear %x, %w, %e, %e : (tensor<?x64xf32>, tensor<8x96x64xf32>, tensor<?x2xi32>, tensor<?x2xi32>) -> tensor<?x3x96xf32>
  return
}

// -----

// experts.linear C3
func.func @f(%x: tensor<?x3x64xf32>, %w: tensor<8x96x64xf32>, %e: tensor<?x2xi32>) {
  // expected-error@+1 {{C3: x has 3 rows for each token, it is given to 2 experts}}
  %0 = llm.experts.linear %x, %w, %e, %e : (tensor<?x3x64xf32>, tensor<8x96x64xf32>, tensor<?x2xi32>, tensor<?x2xi32>) -> tensor<?x2x96xf32>
  return
}

// -----

// experts.linear C4
func.func @f(%x: tensor<?x2x64x!llm.quant<a8>>, %w: tensor<8x96x64xf32>, %e: tensor<?x2xi32>) {
  // expected-error@+1 {{C4: quantised rows need a quantised weight}}
  %0 = llm.experts.linear %x, %w, %e, %e : (tensor<?x2x64x!llm.quant<a8>>, tensor<8x96x64xf32>, tensor<?x2xi32>, tensor<?x2xi32>) -> tensor<?x2x96xf32>
  return
}

// -----

// experts.combine C1
func.func @f(%x: tensor<?x2x64xf32>, %w: tensor<?x2xf32>) {
  // expected-error@+1 {{C1: x has 64 columns and the result 63}}
  %0 = llm.experts.combine %x, %w : (tensor<?x2x64xf32>, tensor<?x2xf32>) -> tensor<?x63xf32>
  return
}

// -----

// experts.combine C2
func.func @f(%x: tensor<?x2x64xf32>, %w: tensor<?x3xf32>) {
  // expected-error@+1 {{C2: x has 2 rows for each token, there are 3 weights}}
  %0 = llm.experts.combine %x, %w : (tensor<?x2x64xf32>, tensor<?x3xf32>) -> tensor<?x64xf32>
  return
}

// -----

// quantize C2: rows of experts become rows of tokens
func.func @f(%x: tensor<?x2x64xf32>) {
  // expected-error@+1 {{C2: x and the result have different rows for each token}}
  %0 = llm.quantize %x : (tensor<?x2x64xf32>) -> tensor<?x64x!llm.quant<a8>>
  return
}
