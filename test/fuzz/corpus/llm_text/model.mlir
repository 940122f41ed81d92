!kv = !llm.kv<layers = 1, heads = 1, k_dim = 8, v_dim = 8, block = 8, element = f16>
llm.model @m attributes {vocabulary = 8 : i64, context_length = 8 : i64} {
  llm.weight @w : tensor<8x32x!llm.quant<q8_0>> from "w"
  llm.weight @n : tensor<32xf32> from "n"
  func.func @step(%b: !llm.batch<mixed>, %kv: !kv) -> (tensor<?x8xf32>, !kv) {
    %l = arith.constant 0 : index
    %t = llm.batch.tokens %b : (!llm.batch<mixed>) -> tensor<?xi32>
    %w = llm.get_weight @w : tensor<8x32x!llm.quant<q8_0>>
    %n = llm.get_weight @n : tensor<32xf32>
    %x = llm.embed %t, %w : (tensor<?xi32>, tensor<8x32x!llm.quant<q8_0>>) -> tensor<?x32xf32>
    %y = llm.rms_norm %x, %n {eps = 1.0e-05 : f64} : tensor<?x32xf32>, tensor<32xf32>
    %h = llm.linear %y, %w : (tensor<?x32xf32>, tensor<8x32x!llm.quant<q8_0>>) -> tensor<?x8xf32>
    %kv1 = llm.kv_append %kv[%l], %h, %h, %b : !kv, tensor<?x8xf32>, tensor<?x8xf32>, !llm.batch<mixed>
    %a = llm.attention %h, %kv1[%l], %b {scale = 1.0 : f64} : (tensor<?x8xf32>, !kv, !llm.batch<mixed>) -> tensor<?x8xf32>
    return %a, %kv1 : tensor<?x8xf32>, !kv
  }
}
