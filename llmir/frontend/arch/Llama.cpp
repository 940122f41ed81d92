// The Llama family: Llama 1 to 3, Mistral, SmolLM, TinyLlama and all that GGUF calls "llama".
// Pre-norm blocks of grouped-query attention and a gated MLP (arXiv 2302.13971), or a mixture of
// them in Mixtral (arXiv 2401.04088).
#include "llmir/frontend/arch/Architectures.h"

using namespace mlir;
using namespace llmir;
using namespace llmir::frontend;

Status frontend::buildLlama(ModelBuilder &builder) {
  const GgufFile &file = builder.file;
  auto h = builder.readHyperparameters();
  if (!h)
    return forward(h);
  auto experts = readExperts(builder, *h);
  if (!experts)
    return forward(experts);
  builder.experts = *experts;
  // GGUF permutes the rows of Q and K so that the components of a pair are neighbours.
  auto rope = readRope(file, "llama", h->kDim, h->context, llm::RopeStyle::Interleaved,
                       *builder.b.getContext());
  if (!rope)
    return forward(rope);

  h->ropes.assign(h->layers, *rope);

  builder.beginModel(*h);
  std::vector<LayerTensor> tensors = decoderTensors(*h);
  if (builder.experts)
    replaceMlpTensors(tensors, *h, *builder.experts);
  if (Status status = builder.layerWeights(tensors, h->layers); !status)
    return status;
  return builder.buildFunctions(
      *h, [&](ModelBuilder &m, Value x) { return m.preNormLayer(x, *h, llm::Activation::Silu); });
}
