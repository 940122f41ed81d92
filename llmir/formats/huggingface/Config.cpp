// Reads the fields in the order in which they depend on each other, and writes them as GGUF's keys.
#include "llmir/formats/huggingface/Config.h"

#include "llmir/support/Shown.h"
#include <algorithm>
#include <cmath>
#include <fmt/ranges.h>

namespace llmir::huggingface {

namespace {

// Beyond every model there is, and small enough that products stay far from overflow.
constexpr int64_t maxLayers = 4096, maxHeads = 4096, maxWidth = 1 << 20, maxTokens = 1 << 24,
                  maxContext = int64_t(1) << 30, maxExperts = 65536;

const Family *findFamily(const JsonFields &fields) {
  const Json *list = fields.find("architectures");
  const bool isNamed = list && list->is_array() && !list->empty() && list->front().is_string();
  if (!isNamed) {
    fields.report("has no \"architectures\", a list with the name of the model's class");
    return nullptr;
  }
  const auto &name = list->front().get_ref<const std::string &>();
  auto family = std::ranges::find(allFamilies(), name, &Family::className);
  if (family != allFamilies().end())
    return &*family;
  std::vector<std::string_view> known;
  for (const Family &row : allFamilies())
    known.push_back(row.className);
  fields.report(fmt::format("\"architectures\" is \"{}\", which is not supported yet in this "
                            "format; known: {}; a GGUF file of the model may be",
                            shown(name), fmt::join(known, ", ")));
  return nullptr;
}

void refuseQuantised(const JsonFields &fields) {
  const Json *config = fields.find("quantization_config");
  if (!config)
    return;
  auto method = config->is_object() ? config->find("quant_method") : config->end();
  fields.report(fmt::format("\"quantization_config\" says that the weights are quantised ({}), "
                            "which is not supported yet: take the model in BF16, F16 or F32, or a "
                            "GGUF file of it",
                            config->is_object() && method != config->end() ? shownValue(*method)
                                                                           : "somehow"));
}

void readHeads(const JsonFields &fields, ModelConfig &config) {
  const Family &family = *config.family;
  config.heads = fields.integer("num_attention_heads", {}, 1, maxHeads);
  config.kvHeads = fields.integer("num_key_value_heads",
                                  family.kvHeads == 0 ? config.heads : family.kvHeads, 1, maxHeads);
  if (config.heads % config.kvHeads)
    fields.wrong("num_attention_heads", config.heads,
                 fmt::format("a multiple of num_key_value_heads, {}", config.kvHeads));
  const bool isGiven = fields.find("head_dim") || family.headSize;
  if (!isGiven && config.embedding % config.heads)
    fields.wrong(
        "hidden_size", config.embedding,
        fmt::format("a multiple of num_attention_heads, {}, or a \"head_dim\"", config.heads));
  config.headSize = fields.integer(
      "head_dim", family.headSize.value_or(std::max<int64_t>(1, config.embedding / config.heads)),
      1, maxWidth);
  if (config.headSize % 2)
    fields.report(fmt::format("\"head_dim\" (hidden_size / num_attention_heads where it is "
                              "missing) is {}, expected an even number",
                              config.headSize));
}

void readBiases(const JsonFields &fields, ModelConfig &config) {
  config.qkvBias = config.family->biases == Family::Biases::Qkv;
  if (config.family->biases == Family::Biases::Asked)
    config.qkvBias = config.outputBias = fields.flag("attention_bias", false);
  if (config.family->asksMlpBias)
    config.mlpBias = fields.flag("mlp_bias", false);
}

/// One kind for each layer.
void readLayerTypes(const JsonFields &fields, const Json &types, ModelConfig &config) {
  if (!types.is_array() || int64_t(types.size()) != config.layers)
    return fields.wrong("layer_types", types,
                        fmt::format("a list of {} names, one for each layer", config.layers));
  for (const Json &type : types) {
    if (type != "full_attention" && type != "sliding_attention")
      return fields.report(fmt::format("\"layer_types\" holds {}, which is not supported; known: "
                                       "full_attention, sliding_attention",
                                       shownValue(type)));
    config.slides.push_back(type == "sliding_attention");
  }
}

void readWindows(const JsonFields &fields, ModelConfig &config) {
  using Windows = Family::Windows;
  const Windows windows = config.family->windows;
  const bool isAsked = windows == Windows::Used || windows == Windows::Some;
  if (windows == Windows::None || (isAsked && !fields.flag("use_sliding_window", false)))
    return;
  // null says that there is none, which is not what a missing field says.
  if (!fields.find("sliding_window") && (fields.isNull("sliding_window") || !config.family->window))
    return;
  config.window = fields.integer("sliding_window", config.family->window, 1, maxContext);
  if (windows == Windows::All || windows == Windows::Used)
    return;
  if (const Json *types = fields.find("layer_types"))
    return readLayerTypes(fields, *types, config);
  if (windows == Windows::Periodic) {
    const int64_t period =
        fields.integer("sliding_window_pattern", config.family->windowPeriod, 1, maxLayers);
    for (int64_t i = 0; i < config.layers; ++i)
      config.slides.push_back((i + 1) % period != 0);
    return;
  }
  const int64_t first = fields.integer("max_window_layers", {}, 0, INT64_MAX);
  for (int64_t i = 0; i < config.layers; ++i)
    config.slides.push_back(i >= first);
}

void readActivation(const JsonFields &fields, bool isGelu) {
  const char *key = fields.find("hidden_activation") ? "hidden_activation" : "hidden_act";
  const std::string usual = isGelu ? "gelu_pytorch_tanh" : "silu";
  const std::string activation = fields.text(key, usual);
  // In Gemma's oldest files, "gelu" means the approximation.
  if (activation != usual && !(isGelu && activation == "gelu"))
    fields.wrong(key, activation, usual + ": others are not supported yet");
}

void readScores(const JsonFields &fields, ModelConfig &config) {
  const Family &family = *config.family;
  if (fields.flag("use_bidirectional_attention", false))
    fields.wrong("use_bidirectional_attention", true, "false: embedding models are not supported");
  if (!family.scalesScores)
    return;
  // Where GGUF says nothing, the head's size counts; but in the largest models, which its readers
  // know by their layers.
  const double scalar = fields.positive("query_pre_attn_scalar", 256);
  if (scalar != double(config.headSize) || config.layers > 40)
    config.attentionScale = 1 / std::sqrt(scalar);
  auto softcap = [&](const char *key, std::optional<double> absent) -> std::optional<double> {
    if (fields.find(key))
      return fields.positive(key, {});
    return fields.isNull(key) ? 0 : absent;
  };
  config.attentionSoftcap = softcap("attn_logit_softcapping", family.attentionSoftcap);
  config.logitSoftcap = softcap("final_logit_softcapping", family.logitSoftcap);
}

void readExperts(const JsonFields &fields, ModelConfig &config) {
  if (!config.family->hasExperts)
    return;
  ExpertConfig experts{};
  // transformers 5 writes the second name.
  const char *count = fields.find("num_local_experts") ? "num_local_experts" : "num_experts";
  experts.count = fields.integer(count, {}, 1, maxExperts);
  experts.used = fields.integer("num_experts_per_tok", {}, 1, experts.count);
  experts.feedForward = fields.integer("moe_intermediate_size", {}, 1, maxWidth);
  experts.renormalises = fields.flag("norm_topk_prob", false);
  if (fields.integer("decoder_sparse_step", 1, 1, maxLayers) != 1)
    fields.wrong("decoder_sparse_step", *fields.find("decoder_sparse_step"),
                 "1: layers without experts are not supported yet");
  if (const Json *list = fields.find("mlp_only_layers"); list && !list->empty())
    fields.wrong("mlp_only_layers", *list,
                 "an empty one: layers without experts are not supported yet");
  config.experts = experts;
}

} // namespace

Expected<ModelConfig> readConfig(const Json &json, const std::string &path) {
  Status status;
  const JsonFields fields(json, path, status);
  ModelConfig config;
  config.family = findFamily(fields);
  refuseQuantised(fields);
  if (!status)
    return forward(status);
  config.layers = fields.integer("num_hidden_layers", {}, 1, maxLayers);
  config.embedding = fields.integer("hidden_size", {}, 1, maxWidth);
  config.feedForward = fields.integer("intermediate_size", {}, 1, maxWidth);
  config.vocabulary = fields.integer("vocab_size", {}, 1, maxTokens);
  config.context = fields.integer("max_position_embeddings", {}, 1, maxContext);
  config.normEps = fields.positive("rms_norm_eps", {});
  config.isTied = fields.flag("tie_word_embeddings", config.family->isTied);
  readActivation(fields, config.family->isGelu);
  readHeads(fields, config);
  readBiases(fields, config);
  readWindows(fields, config);
  readScores(fields, config);
  readExperts(fields, config);
  config.rope = readRope(fields, path, config.context,
                         {config.family->ropeBase, config.family->localRopeBase}, status);
  if (!status)
    return forward(status);
  return config;
}

void writeConfig(const ModelConfig &config, GgufWriter &writer) {
  const std::string architecture(config.family->architecture);
  auto count = [&](const char *key, int64_t value) {
    writer.addU32(architecture + "." + key, uint32_t(value));
  };
  writer.addString("general.architecture", architecture);
  count("block_count", config.layers);
  count("context_length", config.context);
  count("embedding_length", config.embedding);
  count("feed_forward_length", config.feedForward);
  count("vocab_size", config.vocabulary);
  count("attention.head_count", config.heads);
  count("attention.head_count_kv", config.kvHeads);
  count("attention.key_length", config.headSize);
  count("attention.value_length", config.headSize);
  writer.addF32(architecture + ".attention.layer_norm_rms_epsilon", float(config.normEps));
  if (config.window) {
    count("attention.sliding_window", *config.window);
    if (!config.slides.empty())
      writer.addBoolArray(architecture + ".attention.sliding_window_pattern", config.slides);
  }
  auto number = [&](const char *key, std::optional<double> value) {
    if (value)
      writer.addF32(architecture + "." + key, float(*value));
  };
  number("attention.scale", config.attentionScale);
  number("attn_logit_softcapping", config.attentionSoftcap);
  number("final_logit_softcapping", config.logitSoftcap);
  count("rope.dimension_count", config.headSize);
  writeRope(config.rope, architecture, writer);
  if (config.experts) {
    count("expert_count", config.experts->count);
    count("expert_used_count", config.experts->used);
    count("expert_feed_forward_length", config.experts->feedForward);
    writer.addBool(architecture + ".expert_weights_norm", config.experts->renormalises);
  }
}

} // namespace llmir::huggingface
