// config.json, read and checked: the sizes and switches of a model in the terms of Hugging Face. A
// family of models is a row in Families.cpp.
#pragma once

#include "llmir/formats/gguf/GgufWriter.h"
#include "llmir/formats/huggingface/JsonFields.h"
#include "llmir/formats/huggingface/Rope.h"

namespace llmir::huggingface {

/// What the class of a model in transformers says without its configuration.
struct Family {
  std::string_view className;    ///< in "architectures"
  std::string_view architecture; ///< GGUF's name of it
  /// GGUF has the rows of Q and K so that the components of a pair are neighbours.
  bool interleavesHeads = false;
  bool headNorms = false;    ///< queries and keys are normalised by head
  bool postNorms = false;    ///< what a block gives is normalised too
  bool normsLessOne = false; ///< norms multiply by 1 + weight; GGUF has the sum
  bool isGelu = false;       ///< of MLPs, with tanh; else SiLU
  enum class Biases {
    None,
    Asked, ///< of Q, K, V and the output, if "attention_bias" says so
    Qkv
  } biases = Biases::None;
  bool asksMlpBias = false; ///< "mlp_bias"
  enum class Windows {
    None,
    All,     ///< "sliding_window" is that of all layers
    Used,    ///< the same if "use_sliding_window" says so
    Some,    ///< likewise of the layers that "layer_types" or "max_window_layers" name
    Periodic ///< of those that "layer_types" names, or of all but the last of each `windowPeriod`
  } windows = Windows::None;
  int64_t windowPeriod = 1;
  std::optional<int64_t> kvHeads =
      {}; ///< where "num_key_value_heads" is missing; 0: as many as heads
  std::optional<int64_t> headSize = {}; ///< where "head_dim" is missing; else width / heads
  std::optional<int64_t> window = {};   ///< where "sliding_window" is missing
  bool hasExperts = false;              ///< in place of MLPs, in every layer
  bool isTied = false;                  ///< where "tie_word_embeddings" is missing
  /// "query_pre_attn_scalar", "attn_logit_softcapping" and "final_logit_softcapping" count.
  bool scalesScores = false;
  std::optional<double> attentionSoftcap = {}, logitSoftcap = {}; ///< where those are missing
  double ropeBase = 10000;                                        ///< where "rope_theta" is missing
  std::optional<double> localRopeBase = {}; ///< layers with a window have a rotation of their own
};
std::span<const Family> allFamilies();

struct ExpertConfig {
  int64_t count, used, feedForward;
  bool renormalises;
};

struct ModelConfig {
  const Family *family = nullptr;
  int64_t layers = 0, embedding = 0, feedForward = 0, heads = 0, kvHeads = 0, headSize = 0,
          vocabulary = 0, context = 0;
  double normEps = 0;
  bool isTied = false; ///< the output is the embedding
  bool qkvBias = false, outputBias = false, mlpBias = false;
  std::optional<int64_t> window;                        ///< tokens
  std::vector<bool> slides;                             ///< of each layer, if some have the window
  std::optional<double> attentionScale;                 ///< of scores, if not the usual one
  std::optional<double> attentionSoftcap, logitSoftcap; ///< 0: none, where the family has one
  RopeConfig rope;
  std::optional<ExpertConfig> experts;
};

/// Errors name `path`, the field, its value and what is allowed: an architecture that is not known,
/// weights quantised in ways that are not, fields that are missing, of another type or out of
/// range.
Expected<ModelConfig> readConfig(const Json &json, const std::string &path);

/// The configuration as GGUF's metadata.
void writeConfig(const ModelConfig &config, GgufWriter &writer);

} // namespace llmir::huggingface
