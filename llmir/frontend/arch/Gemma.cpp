// The Gemma family: a scaled embedding and GELU-gated MLPs (Gemma, arXiv 2403.08295); norms before
// and behind each block, every second layer with a sliding window, soft caps (Gemma 2, arXiv
// 2408.00118); QK norms, five of six layers sliding with a rotation of their own (Gemma 3, arXiv
// 2503.19786). GGUF stores norms as the factor itself, where Hugging Face stores it less 1.
#include "llmir/frontend/arch/Architectures.h"

#include <cmath>

using namespace mlir;
using namespace llmir;
using namespace llmir::frontend;

namespace {

/// What tells the generations apart.
struct Generation {
  bool postNorms = false, headNorms = false;
  int64_t windowPeriod = 0;
  /// The models of this many layers scale scores by 1 / sqrt(embedding / heads), and no field of
  /// the file says so.
  int64_t layersOfLargest = -1;
  std::optional<double> slidingBase, attentionSoftcap, logitSoftcap; ///< where the file is silent
};

} // namespace

static Status build(ModelBuilder &builder, const Generation &generation) {
  auto h = builder.readHyperparameters(generation.windowPeriod);
  if (!h)
    return forward(h);
  h->embeddingScale = std::sqrt(double(h->embedding));
  if (h->layers == generation.layersOfLargest &&
      !builder.file.has(builder.architecture + ".attention.scale"))
    h->attentionScale = 1 / std::sqrt(double(h->embedding) / double(h->heads));
  auto attentionSoftcap =
      builder.readSoftcap("attn_logit_softcapping", generation.attentionSoftcap);
  if (!attentionSoftcap)
    return forward(attentionSoftcap);
  h->attentionSoftcap = *attentionSoftcap;
  auto logitSoftcap = builder.readSoftcap("final_logit_softcapping", generation.logitSoftcap);
  if (!logitSoftcap)
    return forward(logitSoftcap);
  h->logitSoftcap = *logitSoftcap;
  auto rope = readRope(builder.file, builder.architecture, h->kDim, h->context,
                       llm::RopeStyle::Half, *builder.b.getContext());
  if (!rope)
    return forward(rope);
  auto sliding = readSlidingRope(builder.file, builder.architecture, *rope, generation.slidingBase);
  if (!sliding)
    return forward(sliding);
  for (bool slides : h->slides)
    h->ropes.push_back(slides ? *sliding : *rope);

  builder.beginModel(*h);
  std::vector<LayerTensor> tensors = decoderTensors(*h, generation.headNorms);
  if (generation.postNorms) {
    tensors.push_back({"post_attention_norm.weight", {h->embedding}});
    tensors.push_back({"post_ffw_norm.weight", {h->embedding}});
  }
  if (Status status = builder.layerWeights(tensors, h->layers); !status)
    return status;
  return builder.buildFunctions(*h, [&](ModelBuilder &m, Value x) {
    return m.preNormLayer(x, *h, llm::Activation::GeluTanh);
  });
}

Status frontend::buildGemma(ModelBuilder &builder) { return build(builder, {}); }

Status frontend::buildGemma2(ModelBuilder &builder) {
  return build(builder, {.postNorms = true,
                         .windowPeriod = 2,
                         .layersOfLargest = 46,
                         .attentionSoftcap = 50,
                         .logitSoftcap = 30});
}

Status frontend::buildGemma3(ModelBuilder &builder) {
  return build(builder, {.postNorms = true,
                         .headNorms = true,
                         .windowPeriod = 6,
                         .layersOfLargest = 62,
                         .slidingBase = 10000});
}
