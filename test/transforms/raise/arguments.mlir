// Arguments that a raised graph cannot have.
// RUN: llmir-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(llm.graph(llm-raise))'

// A padding mask depends on data.
llm.graph @padding {
  // expected-error@+1 {{argument 1 is 'tensor<1x?xi1>', but a graph has token ids or hidden states, and position ids: export without attention_mask}}
  func.func @forward(%ids: tensor<1x?xi64>, %mask: tensor<1x?xi1>) -> tensor<1x?xi64> {
    return %ids : tensor<1x?xi64>
  }
}

// -----

llm.graph @batches {
  // expected-error@+1 {{argument 0 is 'tensor<?x?x8xf32>': only tensors of one batch and a dynamic number of tokens can be raised}}
  func.func @forward(%x: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
    return %x : tensor<?x?x8xf32>
  }
}

// -----

llm.graph @nothing {
  // expected-error@+1 {{has no arguments, or more than one block}}
  func.func @forward() {
    return
  }
}

// -----

llm.graph @two_results {
  func.func @forward(%x: tensor<1x?x8xf32>) -> (tensor<1x?x8xf32>, tensor<1x?x8xf32>) {
    // expected-error@+1 {{has 2 operands: a graph that is raised has one result}}
    return %x, %x : tensor<1x?x8xf32>, tensor<1x?x8xf32>
  }
}

// -----

llm.graph @no_rows {
  func.func @forward(%x: tensor<1x?x8xf32>) -> tensor<8xf32> {
    %w = arith.constant dense<1.0> : tensor<8xf32>
    // expected-error@+1 {{cannot be raised to llm ops: the result is no tensor with one row for each token}}
    return %w : tensor<8xf32>
  }
}

// -----

// An op that raising does not know is named.
llm.graph @unknown {
  func.func @forward(%x: tensor<1x?x8xf32>) -> tensor<1x?x8xf32> {
    %y = math.sinh %x : tensor<1x?x8xf32>
    // expected-error@+1 {{cannot be raised to llm ops: 'math.sinh' is used in a way that raising does not know}}
    return %y : tensor<1x?x8xf32>
  }
}

// -----

// Fewer rows than tokens are no rows of tokens.
llm.graph @shorter {
  func.func @forward(%x: tensor<1x?x8xf32>) -> tensor<1x?x8xf32> {
    %c1 = arith.constant 1 : index
    %t = tensor.dim %x, %c1 : tensor<1x?x8xf32>
    %n = arith.subi %t, %c1 : index
    %y = tensor.extract_slice %x[0, 0, 0] [1, %n, 8] [1, 1, 1] : tensor<1x?x8xf32> to tensor<1x?x8xf32>
    // expected-error@+1 {{cannot be raised to llm ops: the result is no tensor with one row for each token}}
    return %y : tensor<1x?x8xf32>
  }
}
