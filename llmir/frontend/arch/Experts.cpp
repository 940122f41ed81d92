// See Experts.h. The shapes are those of GGUF's merged tensors: one 3-D tensor for all experts of a
// layer.
#include "llmir/frontend/arch/Experts.h"

#include "llmir/frontend/arch/ModelBuilder.h"
#include <cmath>

using namespace mlir;

namespace llmir::frontend {

// More than any model has; what an expert may be numbered by.
static constexpr int64_t maxExperts = 65536;

/// What this file asks of routing, and the compiler cannot do, is named before anything is built.
static Status checkRouting(const ModelBuilder &builder) {
  const GgufFile &file = builder.file;
  for (const char *field : {"expert_shared_count", "expert_group_count"}) {
    auto value = file.findU64(builder.key(field));
    if (!value)
      return forward(value);
    // One group is no grouping.
    if (value->value_or(0) > (std::string_view(field) == "expert_group_count" ? 1u : 0u))
      return fail("{}: {} is {}: shared experts and groups of experts are not supported yet",
                  file.path(), builder.key(field), **value);
  }
  return {};
}

Expected<std::optional<Experts>> readExperts(ModelBuilder &builder, const Hyperparameters &h,
                                             ExpertDefaults defaults) {
  const GgufFile &file = builder.file;
  auto stored = file.findU64(builder.key("expert_count"));
  if (!stored)
    return forward(stored);
  if (stored->value_or(0) == 0)
    return std::nullopt;
  if (Status status = checkRouting(builder); !status)
    return forward(status);
  auto count = builder.count(builder.key("expert_count"), std::nullopt, maxExperts);
  if (!count)
    return forward(count);
  auto used = builder.count(builder.key("expert_used_count"), std::nullopt, *count);
  if (!used)
    return forward(used);
  auto feedForward =
      builder.count(builder.key("expert_feed_forward_length"), h.feedForward, 1 << 20);
  if (!feedForward)
    return forward(feedForward);
  auto renormalise = file.findBool(builder.key("expert_weights_norm"));
  if (!renormalise)
    return forward(renormalise);
  auto scale = file.findF32(builder.key("expert_weights_scale"));
  if (!scale)
    return forward(scale);
  auto gating = file.findU64(builder.key("expert_gating_func"));
  if (!gating)
    return forward(gating);

  Experts experts{
      *count, *used, *feedForward, defaults.scoring, renormalise->value_or(defaults.renormalise),
      1};
  if (scale->value_or(0) != 0) // 0 stands for none
    experts.scale = **scale;
  if (!(experts.scale > 0) || !std::isfinite(experts.scale))
    return fail("{}: {} is {}, it must be positive and finite: convert the model again",
                file.path(), builder.key("expert_weights_scale"), experts.scale);
  constexpr uint64_t softmax = 1, sigmoid = 2; // of GGUF
  uint64_t function = gating->value_or(0);     // 0 stands for the family's own
  if (function > sigmoid)
    return fail("{}: {} is {}, which is not supported; 1 (softmax) and 2 (sigmoid) are",
                file.path(), builder.key("expert_gating_func"), function);
  if (function)
    experts.scoring = function == softmax ? llm::Scoring::Softmax : llm::Scoring::Sigmoid;
  return experts;
}

void replaceMlpTensors(std::vector<LayerTensor> &tensors, const Hyperparameters &h,
                       const Experts &experts) {
  std::erase_if(tensors, [](const LayerTensor &tensor) {
    StringRef name = tensor.name;
    return name.starts_with("ffn_gate.") || name.starts_with("ffn_up.") ||
           name.starts_with("ffn_down.");
  });
  const int64_t n = experts.count, inner = experts.feedForward;
  tensors.push_back({"ffn_gate_inp.weight", {n, h.embedding}});
  tensors.push_back({"ffn_gate_exps.weight", {n, inner, h.embedding}});
  tensors.push_back({"ffn_up_exps.weight", {n, inner, h.embedding}});
  tensors.push_back({"ffn_down_exps.weight", {n, h.embedding, inner}});
}

Value expertsBlock(ModelBuilder &builder, Value x, const Experts &experts,
                   llm::Activation activation) {
  OpBuilder &b = builder.b;
  Value logits = builder.linear(x, "ffn_gate_inp");
  Value gate = builder.layerWeight("ffn_gate_exps.weight"),
        up = builder.layerWeight("ffn_up_exps.weight"),
        down = builder.layerWeight("ffn_down_exps.weight");
  return llm::MoeOp::create(
      b, builder.loc, x.getType(), llm::ActivationAttr::get(b.getContext(), activation), x, gate,
      up, down, llm::ScoringAttr::get(b.getContext(), experts.scoring), logits,
      b.getI64IntegerAttr(experts.used), experts.renormalise ? b.getUnitAttr() : UnitAttr(),
      b.getF64FloatAttr(experts.scale));
}

} // namespace llmir::frontend
