// What the verifiers of llm.sample, llm.workflow and their attributes refuse, one case for every constraint.
// RUN: llmir-opt %s -split-input-file -verify-diagnostics

// sample C1
func.func @f(%l: tensor<?x50xf32>, %p: tensor<?x2xf32>) {
  // expected-error@+1 {{'llm.sample' op C1: points has 2 columns, one point is drawn for a row}}
  %0 = llm.sample %l, %p {temperature = 1.0 : f64} : (tensor<?x50xf32>, tensor<?x2xf32>) -> tensor<?xi32>
  return
}

// -----

// sample C2: -1.0
func.func @f(%l: tensor<?x50xf32>, %p: tensor<?x1xf32>) {
  // expected-error@+1 {{C2: temperature must be from 0 to 100}}
  %0 = llm.sample %l, %p {temperature = -1.0 : f64} : (tensor<?x50xf32>, tensor<?x1xf32>) -> tensor<?xi32>
  return
}

// -----

// sample C2: 101.0
func.func @f(%l: tensor<?x50xf32>, %p: tensor<?x1xf32>) {
  // expected-error@+1 {{C2: temperature must be from 0 to 100}}
  %0 = llm.sample %l, %p {temperature = 101.0 : f64} : (tensor<?x50xf32>, tensor<?x1xf32>) -> tensor<?xi32>
  return
}

// -----

// sample C2: 0x7FF8000000000000
func.func @f(%l: tensor<?x50xf32>, %p: tensor<?x1xf32>) {
  // expected-error@+1 {{C2: temperature must be from 0 to 100}}
  %0 = llm.sample %l, %p {temperature = 0x7FF8000000000000 : f64} : (tensor<?x50xf32>, tensor<?x1xf32>) -> tensor<?xi32>
  return
}

// -----

// sample C3
func.func @f(%l: tensor<?x50xf32>, %p: tensor<?x1xf32>) {
  // expected-error@+1 {{C3: top_k must not be negative}}
  %0 = llm.sample %l, %p {temperature = 1.0 : f64, top_k = -1 : i64} : (tensor<?x50xf32>, tensor<?x1xf32>) -> tensor<?xi32>
  return
}

// -----

// sample C4: top_p
func.func @f(%l: tensor<?x50xf32>, %p: tensor<?x1xf32>) {
  // expected-error@+1 {{C4: top_p and min_p must be from 0 to 1}}
  %0 = llm.sample %l, %p {temperature = 1.0 : f64, top_p = 1.5 : f64} : (tensor<?x50xf32>, tensor<?x1xf32>) -> tensor<?xi32>
  return
}

// -----

// sample C4: min_p
func.func @f(%l: tensor<?x50xf32>, %p: tensor<?x1xf32>) {
  // expected-error@+1 {{C4: top_p and min_p must be from 0 to 1}}
  %0 = llm.sample %l, %p {temperature = 1.0 : f64, min_p = -0.5 : f64} : (tensor<?x50xf32>, tensor<?x1xf32>) -> tensor<?xi32>
  return
}

// -----

// workflow C1
!kv = !llm.kv<layers = 6, heads = 4, k_dim = 4, v_dim = 4, block = 16, element = f32>
llm.model @m attributes {context_length = 128 : i64, vocabulary = 50 : i64} {
  llm.weight @table : tensor<50x8xf32> from "table"
  func.func @step(%batch: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x50xf32>, !kv) {
    %w = llm.get_weight @table : tensor<50x8xf32>
    %t = llm.batch.tokens %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    %x = llm.embed %t, %w : (tensor<?xi32>, tensor<50x8xf32>) -> tensor<?x8xf32>
    %l = llm.linear %x, %w : (tensor<?x8xf32>, tensor<50x8xf32>) -> tensor<?x50xf32>
    return %l, %kv : tensor<?x50xf32>, !kv
  }
}
// expected-error@+1 {{'llm.workflow' op C1: @other is no llm.model}}
llm.workflow @w serves @other batching <mode = continuous, max_sequences = 8, token_budget = 64, chunked_prefill = true, policy = fcfs, preemption = recompute> cache <block = 16, sharing = hash, eviction = lru> speculation <method = none> parallel <tensor = 2, pipeline = 3, data = 1>

// -----

// workflow C1: a symbol of another kind
!kv = !llm.kv<layers = 6, heads = 4, k_dim = 4, v_dim = 4, block = 16, element = f32>
llm.model @m attributes {context_length = 128 : i64, vocabulary = 50 : i64} {
  llm.weight @table : tensor<50x8xf32> from "table"
  func.func @step(%batch: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x50xf32>, !kv) {
    %w = llm.get_weight @table : tensor<50x8xf32>
    %t = llm.batch.tokens %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    %x = llm.embed %t, %w : (tensor<?xi32>, tensor<50x8xf32>) -> tensor<?x8xf32>
    %l = llm.linear %x, %w : (tensor<?x8xf32>, tensor<50x8xf32>) -> tensor<?x50xf32>
    return %l, %kv : tensor<?x50xf32>, !kv
  }
}
func.func private @f()
// expected-error@+1 {{C1: @f is no llm.model}}
llm.workflow @w serves @f batching <mode = continuous, max_sequences = 8, token_budget = 64, chunked_prefill = true, policy = fcfs, preemption = recompute> cache <block = 16, sharing = hash, eviction = lru> speculation <method = none> parallel <tensor = 2, pipeline = 3, data = 1>

// -----

// workflow C2
!kv = !llm.kv<layers = 6, heads = 4, k_dim = 4, v_dim = 4, block = 16, element = f32>
llm.model @m attributes {context_length = 128 : i64, vocabulary = 50 : i64} {
  llm.weight @table : tensor<50x8xf32> from "table"
  func.func @step(%batch: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x50xf32>, !kv) {
    %w = llm.get_weight @table : tensor<50x8xf32>
    %t = llm.batch.tokens %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    %x = llm.embed %t, %w : (tensor<?xi32>, tensor<50x8xf32>) -> tensor<?x8xf32>
    %l = llm.linear %x, %w : (tensor<?x8xf32>, tensor<50x8xf32>) -> tensor<?x50xf32>
    return %l, %kv : tensor<?x50xf32>, !kv
  }
}
// expected-error@+1 {{C2: the cache has blocks of 32 tokens, that of @m has 16}}
llm.workflow @w serves @m batching <mode = continuous, max_sequences = 8, token_budget = 64, chunked_prefill = true, policy = fcfs, preemption = recompute> cache <block = 32, sharing = none, eviction = none> speculation <method = none> parallel <tensor = 2, pipeline = 3, data = 1>

// -----

// workflow C3
!kv = !llm.kv<layers = 6, heads = 4, k_dim = 4, v_dim = 4, block = 16, element = f32>
llm.model @m attributes {context_length = 128 : i64, vocabulary = 50 : i64} {
  llm.weight @table : tensor<50x8xf32> from "table"
  func.func @step(%batch: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x50xf32>, !kv) {
    %w = llm.get_weight @table : tensor<50x8xf32>
    %t = llm.batch.tokens %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    %x = llm.embed %t, %w : (tensor<?xi32>, tensor<50x8xf32>) -> tensor<?x8xf32>
    %l = llm.linear %x, %w : (tensor<?x8xf32>, tensor<50x8xf32>) -> tensor<?x50xf32>
    return %l, %kv : tensor<?x50xf32>, !kv
  }
}
// expected-error@+1 {{C3: token_budget is 127, without chunked_prefill the context of 128 tokens must fit}}
llm.workflow @w serves @m batching <mode = continuous, max_sequences = 8, token_budget = 127, chunked_prefill = false, policy = fcfs, preemption = recompute> cache <block = 16, sharing = hash, eviction = lru> speculation <method = none> parallel <tensor = 2, pipeline = 3, data = 1>

// -----

// workflow C4: no such model
!kv = !llm.kv<layers = 6, heads = 4, k_dim = 4, v_dim = 4, block = 16, element = f32>
llm.model @m attributes {context_length = 128 : i64, vocabulary = 50 : i64} {
  llm.weight @table : tensor<50x8xf32> from "table"
  func.func @step(%batch: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x50xf32>, !kv) {
    %w = llm.get_weight @table : tensor<50x8xf32>
    %t = llm.batch.tokens %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    %x = llm.embed %t, %w : (tensor<?xi32>, tensor<50x8xf32>) -> tensor<?x8xf32>
    %l = llm.linear %x, %w : (tensor<?x8xf32>, tensor<50x8xf32>) -> tensor<?x50xf32>
    return %l, %kv : tensor<?x50xf32>, !kv
  }
}
// expected-error@+1 {{C4: draft @small is no other llm.model}}
llm.workflow @w serves @m batching <mode = continuous, max_sequences = 8, token_budget = 64, chunked_prefill = true, policy = fcfs, preemption = recompute> cache <block = 16, sharing = hash, eviction = lru> speculation <method = draft, tokens = 4, draft = @small> parallel <tensor = 2, pipeline = 3, data = 1>

// -----

// workflow C4: the model itself
!kv = !llm.kv<layers = 6, heads = 4, k_dim = 4, v_dim = 4, block = 16, element = f32>
llm.model @m attributes {context_length = 128 : i64, vocabulary = 50 : i64} {
  llm.weight @table : tensor<50x8xf32> from "table"
  func.func @step(%batch: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x50xf32>, !kv) {
    %w = llm.get_weight @table : tensor<50x8xf32>
    %t = llm.batch.tokens %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    %x = llm.embed %t, %w : (tensor<?xi32>, tensor<50x8xf32>) -> tensor<?x8xf32>
    %l = llm.linear %x, %w : (tensor<?x8xf32>, tensor<50x8xf32>) -> tensor<?x50xf32>
    return %l, %kv : tensor<?x50xf32>, !kv
  }
}
// expected-error@+1 {{C4: draft @m is no other llm.model}}
llm.workflow @w serves @m batching <mode = continuous, max_sequences = 8, token_budget = 64, chunked_prefill = true, policy = fcfs, preemption = recompute> cache <block = 16, sharing = hash, eviction = lru> speculation <method = draft, tokens = 4, draft = @m> parallel <tensor = 2, pipeline = 3, data = 1>

// -----

// workflow C4: another vocabulary
!kv = !llm.kv<layers = 6, heads = 4, k_dim = 4, v_dim = 4, block = 16, element = f32>
llm.model @m attributes {context_length = 128 : i64, vocabulary = 50 : i64} {
  llm.weight @table : tensor<50x8xf32> from "table"
  func.func @step(%batch: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x50xf32>, !kv) {
    %w = llm.get_weight @table : tensor<50x8xf32>
    %t = llm.batch.tokens %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    %x = llm.embed %t, %w : (tensor<?xi32>, tensor<50x8xf32>) -> tensor<?x8xf32>
    %l = llm.linear %x, %w : (tensor<?x8xf32>, tensor<50x8xf32>) -> tensor<?x50xf32>
    return %l, %kv : tensor<?x50xf32>, !kv
  }
}
llm.model @small attributes {context_length = 128 : i64, vocabulary = 40 : i64} {
  llm.weight @table : tensor<40x8xf32> from "table"
  func.func @step(%batch: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x40xf32>, !kv) {
    %w = llm.get_weight @table : tensor<40x8xf32>
    %t = llm.batch.tokens %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    %x = llm.embed %t, %w : (tensor<?xi32>, tensor<40x8xf32>) -> tensor<?x8xf32>
    %l = llm.linear %x, %w : (tensor<?x8xf32>, tensor<40x8xf32>) -> tensor<?x40xf32>
    return %l, %kv : tensor<?x40xf32>, !kv
  }
}
// expected-error@+1 {{C4: draft @small has a vocabulary of 40, @m one of 50}}
llm.workflow @w serves @m batching <mode = continuous, max_sequences = 8, token_budget = 64, chunked_prefill = true, policy = fcfs, preemption = recompute> cache <block = 16, sharing = hash, eviction = lru> speculation <method = draft, tokens = 4, draft = @small> parallel <tensor = 2, pipeline = 3, data = 1>

// -----

// workflow C5: tensor
!kv = !llm.kv<layers = 6, heads = 4, k_dim = 4, v_dim = 4, block = 16, element = f32>
llm.model @m attributes {context_length = 128 : i64, vocabulary = 50 : i64} {
  llm.weight @table : tensor<50x8xf32> from "table"
  func.func @step(%batch: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x50xf32>, !kv) {
    %w = llm.get_weight @table : tensor<50x8xf32>
    %t = llm.batch.tokens %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    %x = llm.embed %t, %w : (tensor<?xi32>, tensor<50x8xf32>) -> tensor<?x8xf32>
    %l = llm.linear %x, %w : (tensor<?x8xf32>, tensor<50x8xf32>) -> tensor<?x50xf32>
    return %l, %kv : tensor<?x50xf32>, !kv
  }
}
// expected-error@+1 {{C5: tensor = 3 must divide the 4 KV heads and pipeline = 1 the 6 layers of @m}}
llm.workflow @w serves @m batching <mode = continuous, max_sequences = 8, token_budget = 64, chunked_prefill = true, policy = fcfs, preemption = recompute> cache <block = 16, sharing = hash, eviction = lru> speculation <method = none> parallel <tensor = 3, pipeline = 1, data = 1>

// -----

// workflow C5: pipeline
!kv = !llm.kv<layers = 6, heads = 4, k_dim = 4, v_dim = 4, block = 16, element = f32>
llm.model @m attributes {context_length = 128 : i64, vocabulary = 50 : i64} {
  llm.weight @table : tensor<50x8xf32> from "table"
  func.func @step(%batch: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x50xf32>, !kv) {
    %w = llm.get_weight @table : tensor<50x8xf32>
    %t = llm.batch.tokens %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    %x = llm.embed %t, %w : (tensor<?xi32>, tensor<50x8xf32>) -> tensor<?x8xf32>
    %l = llm.linear %x, %w : (tensor<?x8xf32>, tensor<50x8xf32>) -> tensor<?x50xf32>
    return %l, %kv : tensor<?x50xf32>, !kv
  }
}
// expected-error@+1 {{C5: tensor = 1 must divide the 4 KV heads and pipeline = 4 the 6 layers of @m}}
llm.workflow @w serves @m batching <mode = continuous, max_sequences = 8, token_budget = 64, chunked_prefill = true, policy = fcfs, preemption = recompute> cache <block = 16, sharing = hash, eviction = lru> speculation <method = none> parallel <tensor = 1, pipeline = 4, data = 1>

// -----

// batching: no sequence
// expected-error@+1 {{max_sequences is 0, at least 1 is needed}}
func.func private @f() attributes {llm.a = #llm.batching<mode = continuous, max_sequences = 0, token_budget = 64, chunked_prefill = true, policy = fcfs, preemption = recompute>}

// -----

// batching: no budget
// expected-error@+1 {{token_budget is 0, a token for each of the 1 sequences is needed}}
func.func private @f() attributes {llm.a = #llm.batching<mode = continuous, max_sequences = 1, token_budget = 0, chunked_prefill = true, policy = fcfs, preemption = recompute>}

// -----

// batching: less than a token for each
// expected-error@+1 {{token_budget is 7, a token for each of the 8 sequences is needed}}
func.func private @f() attributes {llm.a = #llm.batching<mode = continuous, max_sequences = 8, token_budget = 7, chunked_prefill = true, policy = fcfs, preemption = recompute>}

// -----

// caching: block
// expected-error@+1 {{block must be a power of two from 8 to 1024}}
func.func private @f() attributes {llm.a = #llm.caching<block = 12, sharing = none, eviction = none>}

// -----

// caching: nothing to evict
// expected-error@+1 {{sharing and eviction must both be none, or neither}}
func.func private @f() attributes {llm.a = #llm.caching<block = 16, sharing = none, eviction = lru>}

// -----

// caching: no way to evict
// expected-error@+1 {{sharing and eviction must both be none, or neither}}
func.func private @f() attributes {llm.a = #llm.caching<block = 16, sharing = radix, eviction = none>}

// -----

// speculation: tokens of nobody
// expected-error@+1 {{tokens is 2, method none needs 0}}
func.func private @f() attributes {llm.a = #llm.speculation<method = none, tokens = 2>}

// -----

// speculation: no tokens
// expected-error@+1 {{tokens is 0, method ngram needs at least 1}}
func.func private @f() attributes {llm.a = #llm.speculation<method = ngram>}

// -----

// speculation: negative
// expected-error@+1 {{tokens is -1, method ngram needs at least 1}}
func.func private @f() attributes {llm.a = #llm.speculation<method = ngram, tokens = -1>}

// -----

// speculation: no draft
// expected-error@+1 {{method draft needs a draft}}
func.func private @f() attributes {llm.a = #llm.speculation<method = draft, tokens = 2>}

// -----

// speculation: a draft too many
// expected-error@+1 {{method ngram takes no draft}}
func.func private @f() attributes {llm.a = #llm.speculation<method = ngram, tokens = 2, draft = @m>}

// -----

// parallel: tensor = 0, pipeline = 1, data = 1
// expected-error@+1 {{tensor, pipeline and data must be positive}}
func.func private @f() attributes {llm.a = #llm.parallel<tensor = 0, pipeline = 1, data = 1>}

// -----

// parallel: tensor = 1, pipeline = 0, data = 1
// expected-error@+1 {{tensor, pipeline and data must be positive}}
func.func private @f() attributes {llm.a = #llm.parallel<tensor = 1, pipeline = 0, data = 1>}

// -----

// parallel: tensor = 1, pipeline = 1, data = -1
// expected-error@+1 {{tensor, pipeline and data must be positive}}
func.func private @f() attributes {llm.a = #llm.parallel<tensor = 1, pipeline = 1, data = -1>}

// -----

// target: triple
// expected-error@+1 {{triple and cpu must not be empty}}
func.func private @f() attributes {llm.a = #llm.target<triple = "", isa = avx2, vector_bits = 256, cpu = "x86-64-v3">}

// -----

// target: cpu
// expected-error@+1 {{triple and cpu must not be empty}}
func.func private @f() attributes {llm.a = #llm.target<triple = "x86_64-unknown-linux-gnu", isa = avx2, vector_bits = 256, cpu = "">}

// -----

// target: vector_bits of avx2
// expected-error@+1 {{vector_bits is 128, the registers of avx2 have 256}}
func.func private @f() attributes {llm.a = #llm.target<triple = "x", isa = avx2, vector_bits = 128, cpu = "y">}

// -----

// target: vector_bits of avx512_vnni
// expected-error@+1 {{vector_bits is 256, the registers of avx512_vnni have 512}}
func.func private @f() attributes {llm.a = #llm.target<triple = "x", isa = avx512_vnni, vector_bits = 256, cpu = "y">}

// -----

// target: vector_bits of neon_dot
// expected-error@+1 {{vector_bits is 256, the registers of neon_dot have 128}}
func.func private @f() attributes {llm.a = #llm.target<triple = "x", isa = neon_dot, vector_bits = 256, cpu = "y">}

// -----

// target: vector_bits of portable
// expected-error@+1 {{vector_bits is 0, the registers of portable have 128}}
func.func private @f() attributes {llm.a = #llm.target<triple = "x", isa = portable, vector_bits = 0, cpu = "y">}

// -----

// target: flags
// expected-error@+1 {{flags must be strings}}
func.func private @f() attributes {llm.a = #llm.target<triple = "x", isa = avx2, vector_bits = 256, cpu = "y", flags = [1]>}

// -----

// target: l1d
// expected-error@+1 {{l1d, l2, l3, cores and bandwidth must not be negative}}
func.func private @f() attributes {llm.a = #llm.target<triple = "x", isa = avx2, vector_bits = 256, cpu = "y", l1d = -1>}

// -----

// target: l2
// expected-error@+1 {{l1d, l2, l3, cores and bandwidth must not be negative}}
func.func private @f() attributes {llm.a = #llm.target<triple = "x", isa = avx2, vector_bits = 256, cpu = "y", l2 = -1>}

// -----

// target: l3
// expected-error@+1 {{l1d, l2, l3, cores and bandwidth must not be negative}}
func.func private @f() attributes {llm.a = #llm.target<triple = "x", isa = avx2, vector_bits = 256, cpu = "y", l3 = -1>}

// -----

// target: cores
// expected-error@+1 {{l1d, l2, l3, cores and bandwidth must not be negative}}
func.func private @f() attributes {llm.a = #llm.target<triple = "x", isa = avx2, vector_bits = 256, cpu = "y", cores = -1>}

// -----

// target: bandwidth
// expected-error@+1 {{l1d, l2, l3, cores and bandwidth must not be negative}}
func.func private @f() attributes {llm.a = #llm.target<triple = "x", isa = avx2, vector_bits = 256, cpu = "y", bandwidth = -1>}
