// The Qwen family: Qwen 2 and 2.5 (biases of Q, K and V; arXiv 2407.10671) and Qwen 3 (QK norms
// instead, dense or with a mixture of experts; arXiv 2505.09388). Otherwise pre-norm blocks as in
// Llama.
#include "llmir/frontend/arch/Architectures.h"

using namespace mlir;
using namespace llmir;
using namespace llmir::frontend;

static Status buildQwen(ModelBuilder &builder, bool normalisesHeads) {
  auto h = builder.readHyperparameters();
  if (!h)
    return forward(h);
  auto experts = readExperts(builder, *h);
  if (!experts)
    return forward(experts);
  builder.experts = *experts;
  auto rope = readRope(builder.file, builder.architecture, h->kDim, h->context,
                       llm::RopeStyle::Half, *builder.b.getContext());
  if (!rope)
    return forward(rope);
  h->ropes.assign(h->layers, *rope);

  builder.beginModel(*h);
  std::vector<LayerTensor> tensors = decoderTensors(*h);
  if (builder.experts)
    replaceMlpTensors(tensors, *h, *builder.experts);
  if (normalisesHeads) {
    tensors.push_back({"attn_q_norm.weight", {h->kDim}});
    tensors.push_back({"attn_k_norm.weight", {h->kDim}});
  }
  if (Status status = builder.layerWeights(tensors, h->layers); !status)
    return status;
  return builder.buildFunctions(
      *h, [&](ModelBuilder &m, Value x) { return m.preNormLayer(x, *h, llm::Activation::Silu); });
}

Status frontend::buildQwen2(ModelBuilder &builder) { return buildQwen(builder, false); }
Status frontend::buildQwen3(ModelBuilder &builder) { return buildQwen(builder, true); }
