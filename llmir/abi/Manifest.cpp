// JSON in and out of the manifest. Reading trusts nothing: the loader computes addresses from these
// numbers, so each is checked here, once.
#include "llmir/abi/Manifest.h"

#include "llmir/abi/StepManifestJson.h"
#include <set>

namespace llmir {

namespace {

constexpr int64_t maxBytes = int64_t(1) << 50;
constexpr int64_t maxCount = int64_t(1) << 31;
constexpr int64_t maxWeightPointers = int64_t(1) << 24;
constexpr int64_t weightAlignment = 64;

void readWeights(const Json &list, const std::string &name, Manifest &manifest, Status &status) {
  if (!list.is_array()) {
    status = fail("{}: the field \"weights\" is not a list", name);
    return;
  }
  std::set<std::pair<int64_t, int64_t>> seen;
  for (const Json &item : list) {
    WeightManifest weight;
    FieldReader reader(item, fmt::format("{}: weight {}", name, manifest.weights.size()), status);
    reader.read("name", weight.name);
    reader.read("row", weight.row, 0, manifest.weightRows - 1);
    reader.read("slot", weight.slot, 0, manifest.weightSlots - 1);
    reader.read("offset", weight.offset, 0, manifest.weightBytes);
    if (status && weight.offset % weightAlignment != 0)
      reader.report(fmt::format("the field \"offset\" is {}, no multiple of {}", weight.offset,
                                weightAlignment));
    reader.read("bytes", weight.bytes, 0, manifest.weightBytes - (status ? weight.offset : 0));
    if (status && !seen.insert({weight.row, weight.slot}).second)
      reader.report(fmt::format("row {}, slot {} was given before", weight.row, weight.slot));
    if (!status)
      return;
    manifest.weights.push_back(std::move(weight));
  }
}

} // namespace

std::string manifestToJson(const Manifest &manifest) {
  Json weights = Json::array();
  for (const WeightManifest &weight : manifest.weights)
    weights.push_back({{"name", weight.name},
                       {"row", weight.row},
                       {"slot", weight.slot},
                       {"offset", weight.offset},
                       {"bytes", weight.bytes}});
  const ModelManifest &model = manifest.model;
  const KvManifest &kv = manifest.kv;
  Json json = {{"abi_version", manifest.abiVersion},
               {"compiler", manifest.compiler},
               {"triple", manifest.triple},
               {"cpu", manifest.cpu},
               {"features", manifest.features},
               {"model_file", manifest.modelFile},
               {"model_file_bytes", manifest.modelFileBytes},
               {"model_file_time", manifest.modelFileTime},
               {"cache_key", manifest.cacheKey},
               {"activations", manifest.activations},
               {"quantize", manifest.quantize},
               {"arena_bytes_per_token", manifest.arenaBytesPerToken},
               {"model",
                {{"name", model.name},
                 {"vocabulary", model.vocabulary},
                 {"context_length", model.contextLength},
                 {"layers", model.layers}}},
               {"kv",
                {{"layers", kv.layers},
                 {"block_tokens", kv.blockTokens},
                 {"k_block_bytes", kv.kBlockBytes},
                 {"v_block_bytes", kv.vBlockBytes},
                 {"element_type", kv.elementType}}},
               {"weight_rows", manifest.weightRows},
               {"weight_slots", manifest.weightSlots},
               {"weight_bytes", manifest.weightBytes},
               {"weights", std::move(weights)}};
  // Only where it was asked for: all other artifacts keep their bytes.
  if (manifest.quantize == "none")
    json.erase("quantize");
  if (!manifest.functions.empty())
    json["functions"] = functionsToJson(manifest.functions);
  // Names come from model files and may be no UTF-8.
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Expected<Manifest> manifestFromJson(const std::string &text, const std::string &name) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded())
    return fail("{}: is not JSON", name);
  Manifest manifest;
  Status status;
  FieldReader reader(json, name, status);
  reader.read("abi_version", manifest.abiVersion, 0, UINT32_MAX);
  reader.read("compiler", manifest.compiler);
  reader.read("triple", manifest.triple);
  reader.read("cpu", manifest.cpu);
  if (const Json *features = reader.find("features")) {
    if (!features->is_array())
      reader.report("the field \"features\" is not a list");
    else
      for (const Json &feature : *features)
        if (feature.is_string())
          manifest.features.push_back(feature.get<std::string>());
        else
          reader.report("the field \"features\" is not a list of strings");
  }
  reader.read("model_file", manifest.modelFile);
  reader.read("model_file_bytes", manifest.modelFileBytes, 0, INT64_MAX);
  reader.read("model_file_time", manifest.modelFileTime, INT64_MIN, INT64_MAX);
  reader.read("cache_key", manifest.cacheKey);
  reader.read("activations", manifest.activations, {"int8", "int16"});
  if (json.contains("quantize"))
    reader.read("quantize", manifest.quantize, {"none", "int8", "int4"});
  reader.read("arena_bytes_per_token", manifest.arenaBytesPerToken, 0, int64_t(1) << 32);
  if (const Json *model = reader.find("model")) {
    FieldReader part(*model, name + ": model", status);
    part.read("name", manifest.model.name);
    part.read("vocabulary", manifest.model.vocabulary, 1, INT32_MAX);
    part.read("context_length", manifest.model.contextLength, 1, INT32_MAX);
    part.read("layers", manifest.model.layers, 0, 1 << 16);
  }
  if (const Json *kv = reader.find("kv")) {
    FieldReader part(*kv, name + ": kv", status);
    part.read("layers", manifest.kv.layers, 0, 1 << 16);
    part.read("block_tokens", manifest.kv.blockTokens, 1, 1 << 16);
    part.read("k_block_bytes", manifest.kv.kBlockBytes, 0, maxCount);
    part.read("v_block_bytes", manifest.kv.vBlockBytes, 0, maxCount);
    part.read("element_type", manifest.kv.elementType, {"f16", "f32"});
  }
  reader.read("weight_rows", manifest.weightRows, 0, maxWeightPointers);
  reader.read("weight_slots", manifest.weightSlots, 0,
              maxWeightPointers / std::max<int64_t>(1, manifest.weightRows));
  reader.read("weight_bytes", manifest.weightBytes, 0, maxBytes);
  if (const Json *weights = reader.find("weights"))
    readWeights(*weights, name, manifest, status);
  if (json.is_object() && json.contains("functions"))
    readFunctions(json["functions"], name, manifest.functions, status);
  if (!status)
    return forward(status);
  return manifest;
}

} // namespace llmir
