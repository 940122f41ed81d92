// llm.sample, llm.workflow and #llm.target survive printing and parsing.
// RUN: llmir-opt %s | llmir-opt | FileCheck %s

!kv = !llm.kv<layers = 6, heads = 4, k_dim = 4, v_dim = 4, block = 16, element = f32>

// CHECK-LABEL: llm.model @m attributes
// CHECK-SAME: target = #llm.target<triple = "x86_64-unknown-linux-gnu", isa = avx2, vector_bits = 256, cpu = "x86-64-v3", tune = "znver3", features = "+x", flags = ["avx2", "fma"], l1d = 32768, l2 = 524288, l3 = 33554432, cores = 2, bandwidth = 40000000000>
llm.model @m attributes {context_length = 128 : i64, vocabulary = 50 : i64, target = #llm.target<triple = "x86_64-unknown-linux-gnu", isa = avx2, vector_bits = 256, cpu = "x86-64-v3", tune = "znver3", features = "+x", flags = ["avx2", "fma"], l1d = 32768, l2 = 524288, l3 = 33554432, cores = 2, bandwidth = 40000000000>} {
  llm.weight @table : tensor<50x8xf32> from "table"
  func.func @step(%batch: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x50xf32>, !kv) {
    %w = llm.get_weight @table : tensor<50x8xf32>
    %t = llm.batch.tokens %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    %x = llm.embed %t, %w : (tensor<?xi32>, tensor<50x8xf32>) -> tensor<?x8xf32>
    %l = llm.linear %x, %w : (tensor<?x8xf32>, tensor<50x8xf32>) -> tensor<?x50xf32>
    return %l, %kv : tensor<?x50xf32>, !kv
  }
}

// What is not known is left out.
// CHECK-LABEL: llm.model @small attributes
// CHECK-SAME: target = #llm.target<triple = "aarch64-unknown-linux-gnu", isa = portable, vector_bits = 128, cpu = "generic">
llm.model @small attributes {context_length = 128 : i64, vocabulary = 50 : i64, target = #llm.target<triple = "aarch64-unknown-linux-gnu", isa = portable, vector_bits = 128, cpu = "generic">} {
  llm.weight @table : tensor<50x8xf32> from "table"
  func.func @step(%batch: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x50xf32>, !kv) {
    %w = llm.get_weight @table : tensor<50x8xf32>
    %t = llm.batch.tokens %batch : (!llm.batch<mixed>) -> tensor<?xi32>
    %x = llm.embed %t, %w : (tensor<?xi32>, tensor<50x8xf32>) -> tensor<?x8xf32>
    %l = llm.linear %x, %w : (tensor<?x8xf32>, tensor<50x8xf32>) -> tensor<?x50xf32>
    return %l, %kv : tensor<?x50xf32>, !kv
  }
}

// CHECK: llm.workflow @plain serves @m batching <mode = static, max_sequences = 1, token_budget = 128, chunked_prefill = false, policy = fcfs, preemption = recompute> cache <block = 16, sharing = none, eviction = none> speculation <method = none> parallel <tensor = 1, pipeline = 1, data = 1>
llm.workflow @plain serves @m
  batching <mode = static, max_sequences = 1, token_budget = 128, chunked_prefill = false, policy = fcfs, preemption = recompute>
  cache <block = 16, sharing = none, eviction = none>
  speculation <method = none>
  parallel <tensor = 1, pipeline = 1, data = 1>

// CHECK: llm.workflow @busy serves @m batching <mode = continuous, max_sequences = 64, token_budget = 2048, chunked_prefill = true, policy = priority, preemption = swap> cache <block = 16, sharing = radix, eviction = lfu> speculation <method = draft, tokens = 4, draft = @small> parallel <tensor = 2, pipeline = 3, data = 4>
llm.workflow @busy serves @m
  batching <mode = continuous, max_sequences = 64, token_budget = 2048, chunked_prefill = true, policy = priority, preemption = swap>
  cache <block = 16, sharing = radix, eviction = lfu>
  speculation <method = draft, tokens = 4, draft = @small>
  parallel <tensor = 2, pipeline = 3, data = 4>

// CHECK-LABEL: func.func @sample
func.func @sample(%logits: tensor<?x50xf32>, %points: tensor<?x1xf32>) -> tensor<?xi32> {
  // CHECK: llm.sample %{{.*}}, %{{.*}} {temperature = 8.000000e-01 : f64} : (tensor<?x50xf32>, tensor<?x1xf32>) -> tensor<?xi32>
  %a = llm.sample %logits, %points {temperature = 0.8 : f64} : (tensor<?x50xf32>, tensor<?x1xf32>) -> tensor<?xi32>
  // CHECK: llm.sample %{{.*}}, %{{.*}} {min_p = 5.000000e-02 : f64, temperature = 1.000000e+00 : f64, top_k = 40 : i64, top_p = 9.000000e-01 : f64} :
  %b = llm.sample %logits, %points {temperature = 1.0 : f64, top_k = 40 : i64, top_p = 0.9 : f64, min_p = 0.05 : f64} : (tensor<?x50xf32>, tensor<?x1xf32>) -> tensor<?xi32>
  return %b : tensor<?xi32>
}
