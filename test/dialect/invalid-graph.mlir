// Each constraint of llm.graph and llm.dense_attention is reported by its label.
// RUN: llmir-opt %s --split-input-file --verify-diagnostics

// expected-error@below {{C1: has no function @forward}}
llm.graph @g {
  llm.weight @w : tensor<64x64xf32> from "w"
}

// -----

func.func @c1(%q: tensor<?x64xf32>, %k: tensor<?x24xf32>, %b: !llm.batch<mixed>) {
  // expected-error@below {{C1: k has 24 columns and q 64, no multiples for 2 heads}}
  %o = llm.dense_attention %q, %k, %k, %b {heads = 2 : i64, scale = 1.0 : f64} : (tensor<?x64xf32>, tensor<?x24xf32>, tensor<?x24xf32>, !llm.batch<mixed>) -> tensor<?x64xf32>
  return
}

// -----

func.func @c1Heads(%q: tensor<?x64xf32>, %b: !llm.batch<mixed>) {
  // expected-error@below {{C1: k has 64 columns and q 64, no multiples for 0 heads}}
  %o = llm.dense_attention %q, %q, %q, %b {heads = 0 : i64, scale = 1.0 : f64} : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>, !llm.batch<mixed>) -> tensor<?x64xf32>
  return
}

// -----

func.func @c2(%q: tensor<?x64xf32>, %v: tensor<?x25xf32>, %b: !llm.batch<mixed>) {
  // expected-error@below {{C2: v has 25 columns, no multiple of 2 heads}}
  %o = llm.dense_attention %q, %q, %v, %b {heads = 2 : i64, scale = 1.0 : f64} : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x25xf32>, !llm.batch<mixed>) -> tensor<?x25xf32>
  return
}

// -----

func.func @c3(%q: tensor<?x64xf32>, %b: !llm.batch<mixed>) {
  // expected-error@below {{C3: the result has 32 columns, expected 64}}
  %o = llm.dense_attention %q, %q, %q, %b {heads = 2 : i64, scale = 1.0 : f64} : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>, !llm.batch<mixed>) -> tensor<?x32xf32>
  return
}

// -----

func.func @c4(%q: tensor<?x64xf32>, %b: !llm.batch<mixed>) {
  // expected-error@below {{C4: scale, window and softcap must be positive and finite}}
  %o = llm.dense_attention %q, %q, %q, %b {heads = 2 : i64, scale = 1.0 : f64, window = -1 : i64} : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>, !llm.batch<mixed>) -> tensor<?x64xf32>
  return
}
