// The rotation of a model in config.json: "rope_theta" and "rope_scaling", which transformers 5
// writes as "rope_parameters".
#pragma once

#include "llmir/formats/gguf/GgufWriter.h"
#include "llmir/formats/huggingface/JsonFields.h"

namespace llmir::huggingface {

struct RopeConfig {
  double base = 10000;
  std::string type = "default"; ///< default, linear, llama3 or yarn
  double factor = 1;
  double lowFrequency = 1, highFrequency = 4; ///< llama3
  int64_t originalContext = 0;                ///< llama3, yarn
  double betaFast = 32, betaSlow = 1;         ///< yarn
  std::optional<double> localBase;            ///< of layers with a window, if its own
  std::optional<double> magnitude;            ///< yarn, where it is not the usual one
};

/// What a family has where the file is silent.
struct RopeDefaults {
  double base;
  std::optional<double> localBase; ///< none: the rotation is that of all layers
};

/// `config` is the whole configuration; `context` its "max_position_embeddings".
RopeConfig readRope(const JsonFields &config, const std::string &path, int64_t context,
                    RopeDefaults defaults, Status &status);

/// The keys below "`architecture`.rope.".
void writeRope(const RopeConfig &rope, const std::string &architecture, GgufWriter &writer);

/// What GGUF keeps as the tensor rope_freqs.weight: by how much each pair of a head of `size` turns
/// slower. Empty but for llama3.
std::vector<float> frequencyFactors(const RopeConfig &rope, int64_t size);

} // namespace llmir::huggingface
