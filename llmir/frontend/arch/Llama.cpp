// The Llama family: Llama 1 to 3, Mistral, SmolLM, TinyLlama and all that GGUF calls "llama".
// Pre-norm blocks of grouped-query attention and a gated MLP; arXiv 2302.13971.
#include "llmir/frontend/arch/Architectures.h"

using namespace mlir;
using namespace llmir;
using namespace llmir::frontend;

Status frontend::buildLlama(ModelBuilder &builder) {
  const GgufFile &file = builder.file;
  auto experts = file.findU64("llama.expert_count");
  if (!experts)
    return forward(experts);
  if (experts->value_or(0) > 0)
    return fail("{}: llama.expert_count is {}: mixtures of experts are not supported yet; use a "
                "dense model",
                file.path(), **experts);
  auto h = builder.readHyperparameters();
  if (!h)
    return forward(h);
  // GGUF permutes the rows of Q and K so that the components of a pair are neighbours.
  auto rope = readRope(file, "llama", h->kDim, h->context, llm::RopeStyle::Interleaved,
                       *builder.b.getContext());
  if (!rope)
    return forward(rope);

  builder.beginModel(*h);
  const int64_t q = h->heads * h->kDim, k = h->kvHeads * h->kDim, v = h->kvHeads * h->vDim;
  const LayerTensor tensors[] = {
      {"attn_norm.weight", {h->embedding}},
      {"attn_q.weight", {q, h->embedding}},
      {"attn_q.bias", {q}, false},
      {"attn_k.weight", {k, h->embedding}},
      {"attn_k.bias", {k}, false},
      {"attn_v.weight", {v, h->embedding}},
      {"attn_v.bias", {v}, false},
      {"attn_output.weight", {h->embedding, h->heads * h->vDim}},
      {"attn_output.bias", {h->embedding}, false},
      {"ffn_norm.weight", {h->embedding}},
      {"ffn_gate.weight", {h->feedForward, h->embedding}},
      {"ffn_gate.bias", {h->feedForward}, false},
      {"ffn_up.weight", {h->feedForward, h->embedding}},
      {"ffn_up.bias", {h->feedForward}, false},
      {"ffn_down.weight", {h->embedding, h->feedForward}},
      {"ffn_down.bias", {h->embedding}, false},
  };
  if (Status status = builder.layerWeights(tensors, h->layers); !status)
    return status;
  return builder.buildFunctions(*h, [&](ModelBuilder &m, Value x) {
    Value attended =
        m.attentionBlock(m.norm(x, m.layerWeight("attn_norm.weight"), h->normEps), *h, *rope);
    x = m.add(x, attended);
    Value mixed =
        m.mlpBlock(m.norm(x, m.layerWeight("ffn_norm.weight"), h->normEps), llm::Activation::Silu);
    return m.add(x, mixed);
  });
}
