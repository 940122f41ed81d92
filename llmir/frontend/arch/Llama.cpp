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

  h->ropes.assign(h->layers, *rope);

  builder.beginModel(*h);
  if (Status status = builder.layerWeights(decoderTensors(*h), h->layers); !status)
    return status;
  return builder.buildFunctions(
      *h, [&](ModelBuilder &m, Value x) { return m.preNormLayer(x, *h, llm::Activation::Silu); });
}
