// Sources: transformers' modeling_rope_utils; YaRN, arXiv 2309.00071; Llama 3's scaling from its
// reference code.
#include "llmir/formats/huggingface/Rope.h"

#include <cfloat>
#include <cmath>
#include <numbers>

namespace llmir::huggingface {

namespace {

double yarnMagnitude(double factor, double multiplier = 1) {
  return factor <= 1 ? 1 : 0.1 * multiplier * std::log(factor) + 1;
}

void readYarn(const JsonFields &fields, RopeConfig &rope) {
  rope.betaFast = fields.positive("beta_fast", rope.betaFast);
  rope.betaSlow = fields.positive("beta_slow", rope.betaSlow);
  if (!fields.flag("truncate", true))
    fields.wrong("truncate", false, "true: other values are not supported yet");
  if (fields.find("attention_factor"))
    rope.magnitude = fields.positive("attention_factor", {});
  else if (fields.find("mscale") && fields.find("mscale_all_dim"))
    rope.magnitude = yarnMagnitude(rope.factor, fields.positive("mscale", {})) /
                     yarnMagnitude(rope.factor, fields.positive("mscale_all_dim", {}));
}

/// `parameters` is the object that holds the scaling; `base` what the rest says of the base.
RopeConfig readParameters(const JsonFields &parameters, const Json &object, double base,
                          int64_t context) {
  RopeConfig rope;
  rope.base = parameters.positive("rope_theta", base);
  if (rope.base <= 1)
    parameters.wrong("rope_theta", rope.base, "more than 1");
  const char *typeKey = parameters.find("rope_type") ? "rope_type" : "type";
  rope.type = parameters.text(typeKey, "default");
  for (const auto &[key, value] : object.items())
    if (value.is_object())
      parameters.wrong(key, value,
                       "a number: rotations that differ by layer are not supported yet");
  if (parameters.positive("partial_rotary_factor", 1) != 1)
    parameters.wrong("partial_rotary_factor", *parameters.find("partial_rotary_factor"),
                     "1: rotating a part of the head is not supported yet");
  if (rope.type == "default")
    return rope;
  if (rope.type != "linear" && rope.type != "llama3" && rope.type != "yarn") {
    parameters.wrong(typeKey, rope.type, "default, linear, llama3 or yarn");
    return rope;
  }
  rope.factor = parameters.positive("factor", {});
  if (rope.type == "linear")
    return rope;
  rope.originalContext =
      parameters.integer("original_max_position_embeddings", context, 1, int64_t(1) << 30);
  if (rope.type == "yarn") {
    readYarn(parameters, rope);
    return rope;
  }
  rope.lowFrequency = parameters.positive("low_freq_factor", {});
  rope.highFrequency = parameters.positive("high_freq_factor", {});
  if (rope.highFrequency <= rope.lowFrequency)
    parameters.wrong("high_freq_factor", rope.highFrequency,
                     fmt::format("more than low_freq_factor, {}", rope.lowFrequency));
  return rope;
}

/// Of layers with a window: a base of their own and no scaling.
double readLocalBase(const JsonFields &fields, double absent) {
  const Json *local = fields.find("sliding_attention");
  if (!local)
    return absent;
  const Json type = local->is_object() ? local->value("rope_type", Json("default")) : Json();
  const Json base = local->is_object() ? local->value("rope_theta", Json(absent)) : Json();
  if (type == "default" && base.is_number() && base > 1 && base <= FLT_MAX)
    return base.get<double>();
  fields.wrong("sliding_attention", *local,
               "an object with the \"rope_type\" default and a \"rope_theta\" of more than 1");
  return absent;
}

} // namespace

RopeConfig readRope(const JsonFields &config, const std::string &path, int64_t context,
                    RopeDefaults defaults, Status &status) {
  if (config.positive("partial_rotary_factor", 1) != 1)
    config.wrong("partial_rotary_factor", *config.find("partial_rotary_factor"),
                 "1: rotating a part of the head is not supported yet");
  const double base = config.positive("rope_theta", defaults.base);
  // The older name wins, as in transformers, unless it has nothing to say.
  const char *key = "rope_scaling";
  if (const Json *older = config.find(key); !older || older->empty())
    key = "rope_parameters";
  static const Json none = Json::object();
  const Json *object = config.find(key);
  if (object && !object->is_object()) {
    config.wrong(key, *object, "an object");
    object = nullptr;
  }
  if (!object)
    object = &none;
  std::string prefix = fmt::format("{}.", key);
  std::optional<double> localBase = defaults.localBase;
  if (localBase)
    localBase = config.positive("rope_local_base_freq", localBase);
  if (auto full = object->find("full_attention"); localBase && full != object->end()) {
    const JsonFields outer(*object, path, status, prefix);
    localBase = readLocalBase(outer, *localBase);
    if (!full->is_object()) {
      outer.wrong("full_attention", *full, "an object");
      return {};
    }
    prefix += "full_attention.";
    object = &*full;
  }
  RopeConfig rope =
      readParameters(JsonFields(*object, path, status, prefix), *object, base, context);
  rope.localBase = localBase;
  return rope;
}

void writeRope(const RopeConfig &rope, const std::string &architecture, GgufWriter &writer) {
  const std::string prefix = architecture + ".rope.";
  writer.addF32(prefix + "freq_base", float(rope.base));
  if (rope.localBase)
    writer.addF32(prefix + "freq_base_swa", float(*rope.localBase));
  if (rope.type != "linear" && rope.type != "yarn") // llama3 is a tensor
    return;
  writer.addString(prefix + "scaling.type", rope.type);
  writer.addF32(prefix + "scaling.factor", float(rope.factor));
  if (rope.type != "yarn")
    return;
  writer.addU32(prefix + "scaling.original_context_length", uint32_t(rope.originalContext));
  writer.addF32(prefix + "scaling.yarn_beta_fast", float(rope.betaFast));
  writer.addF32(prefix + "scaling.yarn_beta_slow", float(rope.betaSlow));
  if (rope.magnitude) // GGUF's is a factor beside the usual one
    writer.addF32(prefix + "scaling.attn_factor",
                  float(*rope.magnitude / yarnMagnitude(rope.factor)));
}

std::vector<float> frequencyFactors(const RopeConfig &rope, int64_t size) {
  std::vector<float> factors;
  if (rope.type != "llama3")
    return factors;
  for (int64_t i = 0; i < size; i += 2) {
    const double wavelength = 2 * std::numbers::pi * std::pow(rope.base, double(i) / double(size));
    const double turns = double(rope.originalContext) / wavelength;
    const double smooth = std::clamp(
        (turns - rope.lowFrequency) / (rope.highFrequency - rope.lowFrequency), 0.0, 1.0);
    factors.push_back(float(1 / ((1 - smooth) / rope.factor + smooth)));
  }
  return factors;
}

} // namespace llmir::huggingface
