// Mixtures of experts in GGUF: the keys expert_*, the tensors ffn_gate_inp and ffn_*_exps, and the
// block that takes the place of a layer's MLP.
#pragma once

#include "llmir/dialect/Llm.h"
#include "llmir/support/Error.h"
#include <vector>

namespace llmir::frontend {

class ModelBuilder;
struct Hyperparameters;
struct LayerTensor;

struct Experts {
  int64_t count, used; ///< of a layer, and of a token
  int64_t feedForward; ///< inner width of one expert
  llm::Scoring scoring;
  bool renormalise;
  double scale; ///< of the experts' weights
};

/// Reads the keys of a family whose files have `defaults` where they say nothing; nothing if the
/// file has no experts. Errors name the key, its value and what is allowed: counts out of range,
/// ways of routing that are not known.
struct ExpertDefaults {
  llm::Scoring scoring = llm::Scoring::Softmax;
  bool renormalise = true;
};
Expected<std::optional<Experts>> readExperts(ModelBuilder &builder, const Hyperparameters &h,
                                             ExpertDefaults defaults = {});

/// Puts the tensors of experts in the place of those of an MLP.
void replaceMlpTensors(std::vector<LayerTensor> &tensors, const Hyperparameters &h,
                       const Experts &experts);

/// Router and experts of the layer that is being built.
mlir::Value expertsBlock(ModelBuilder &builder, mlir::Value x, const Experts &experts,
                         llm::Activation activation);

} // namespace llmir::frontend
