// Fields that say nothing (0, empty) are left out: most kernels have neither matrix nor context.
#include "llmir/abi/StepManifestJson.h"

namespace llmir {

namespace {

constexpr int64_t maxCount = int64_t(1) << 31;
constexpr int64_t maxCost = int64_t(1) << 50; // bytes or operations
constexpr int64_t maxLayer = 1 << 16;
constexpr size_t maxFunctions = 1 << 10; // calls go that deep at most

Json kernelToJson(const KernelManifest &kernel) {
  Json json = {{"op", kernel.op}, {"names", kernel.names}};
  auto add = [&](const char *key, const auto &value,
                 const std::remove_cvref_t<decltype(value)> &silent) {
    if (value != silent)
      json[key] = value;
  };
  add("of_logit_rows", kernel.ofLogitRows, false);
  for (const KernelWeight &weight : kernel.weights)
    json["weights"].push_back({{"name", weight.name}, {"bytes", weight.bytes}});
  add("row_bytes", kernel.rowBytes, 0);
  add("row_operations", kernel.rowOperations, 0);
  add("format", kernel.format, "");
  add("activations", kernel.activations, "");
  add("rows", kernel.rows, 0);
  add("columns", kernel.columns, 0);
  add("lanes", kernel.lanes, 0);
  add("row_blocks", kernel.rowBlocks, 0);
  add("matrices", kernel.matrices, 1);
  add("picked", kernel.picked, 0);
  add("tile_tokens", kernel.tileTokens, 0);
  add("unpack_from", kernel.unpackFrom, 0);
  add("position_bytes", kernel.positionBytes, 0);
  add("position_operations", kernel.positionOperations, 0);
  add("windows", kernel.windows, {});
  return json;
}

Json phaseToJson(const PhaseManifest &phase) {
  Json kernels = Json::array();
  for (const KernelManifest &kernel : phase.kernels)
    kernels.push_back(kernelToJson(kernel));
  Json json = {{"partition", phase.partition}, {"kernels", std::move(kernels)}};
  if (phase.prologue)
    json.update({{"prologue", phase.prologue}, {"replicated_rows", phase.replicatedRows}});
  if (phase.attention.kvHeads)
    json["attention"] = {{"kv_heads", phase.attention.kvHeads},
                         {"split_positions", phase.attention.splitPositions},
                         {"items_per_worker", phase.attention.itemsPerWorker}};
  return json;
}

/// Reads one field that may be missing.
template <typename... Range>
void readOptional(FieldReader &reader, const Json &json, const char *key, auto &value,
                  Range... range) {
  if (json.is_object() && json.contains(key))
    reader.read(key, value, range...);
}

/// Calls `read(item, context)` for each item of the list at `key`.
template <typename Read>
void readList(FieldReader &reader, const char *key, const std::string &context, Status &status,
              Read read) {
  const Json *list = reader.find(key);
  if (!list)
    return;
  if (!list->is_array())
    return reader.report(fmt::format("the field \"{}\" is not a list", key));
  size_t number = 0;
  for (const Json &item : *list) {
    read(item, fmt::format("{}, {} {}", context, key, number++));
    if (!status)
      return;
  }
}

KernelManifest readKernel(const Json &json, const std::string &context, Status &status) {
  KernelManifest kernel;
  FieldReader reader(json, context, status);
  reader.read("op", kernel.op);
  readList(reader, "names", context, status, [&](const Json &item, const std::string &) {
    if (!item.is_string())
      return reader.report("the field \"names\" is not a list of strings");
    kernel.names.push_back(item.get<std::string>());
  });
  if (json.is_object() && json.contains("of_logit_rows")) {
    const Json *field = reader.find("of_logit_rows");
    if (field && !field->is_boolean())
      reader.report("the field \"of_logit_rows\" is neither true nor false");
    kernel.ofLogitRows = field && field->is_boolean() && field->get<bool>();
  }
  if (json.is_object() && json.contains("weights"))
    readList(reader, "weights", context, status, [&](const Json &item, const std::string &place) {
      KernelWeight weight;
      FieldReader part(item, place, status);
      part.read("name", weight.name);
      part.read("bytes", weight.bytes, 0, maxCost);
      kernel.weights.push_back(std::move(weight));
    });
  auto read = [&](const char *key, auto &value, auto... range) {
    readOptional(reader, json, key, value, range...);
  };
  read("row_bytes", kernel.rowBytes, int64_t(0), maxCost);
  read("row_operations", kernel.rowOperations, int64_t(0), maxCost);
  read("format", kernel.format);
  read("activations", kernel.activations);
  read("rows", kernel.rows, int64_t(0), maxCount);
  read("columns", kernel.columns, int64_t(0), maxCount);
  read("lanes", kernel.lanes, int64_t(0), maxLayer);
  read("row_blocks", kernel.rowBlocks, int64_t(0), maxLayer);
  read("matrices", kernel.matrices, int64_t(1), maxLayer);
  read("picked", kernel.picked, int64_t(0), maxLayer);
  read("tile_tokens", kernel.tileTokens, int64_t(0), maxLayer);
  read("unpack_from", kernel.unpackFrom, int64_t(0), maxCount);
  read("position_bytes", kernel.positionBytes, int64_t(0), maxCost);
  read("position_operations", kernel.positionOperations, int64_t(0), maxCost);
  if (json.is_object() && json.contains("windows"))
    readList(reader, "windows", context, status, [&](const Json &item, const std::string &place) {
      // A list of numbers has no keys: each is read as the one field of an object.
      const Json object = {{"window", item}};
      int64_t window = 0;
      FieldReader(object, place, status).read("window", window, 0, maxCount);
      kernel.windows.push_back(window);
    });
  return kernel;
}

PhaseManifest readPhase(const Json &json, const std::string &context, Status &status) {
  PhaseManifest phase;
  FieldReader reader(json, context, status);
  reader.read("partition", phase.partition, {"tokens", "features", "heads"});
  readList(reader, "kernels", context, status, [&](const Json &item, const std::string &place) {
    phase.kernels.push_back(readKernel(item, place, status));
  });
  if (json.is_object() && json.contains("prologue")) {
    reader.read("prologue", phase.prologue, 1, int64_t(phase.kernels.size()));
    reader.read("replicated_rows", phase.replicatedRows, 0, maxCount);
  }
  if (json.is_object() && json.contains("attention"))
    if (const Json *attention = reader.find("attention")) {
      FieldReader part(*attention, context + ", attention", status);
      part.read("kv_heads", phase.attention.kvHeads, 1, maxLayer);
      part.read("split_positions", phase.attention.splitPositions, 0, maxCount);
      part.read("items_per_worker", phase.attention.itemsPerWorker, 0, maxLayer);
    }
  return phase;
}

FunctionPart readPart(const Json &json, const std::string &context, int64_t functionsBefore,
                      Status &status) {
  FunctionPart part;
  FieldReader reader(json, context, status);
  if (!json.is_object() || !json.contains("call")) {
    part.phase = readPhase(json, context, status);
    return part;
  }
  reader.read("call", part.callee, 0, functionsBefore - 1);
  readOptional(reader, json, "layer", part.layer, int64_t(0), maxLayer);
  return part;
}

} // namespace

Json functionsToJson(const std::vector<FunctionManifest> &functions) {
  Json list = Json::array();
  for (const FunctionManifest &function : functions) {
    Json parts = Json::array();
    for (const FunctionPart &part : function.parts)
      if (part.callee < 0)
        parts.push_back(phaseToJson(part.phase));
      else if (part.layer < 0)
        parts.push_back({{"call", part.callee}});
      else
        parts.push_back({{"call", part.callee}, {"layer", part.layer}});
    list.push_back({{"name", function.name}, {"parts", std::move(parts)}});
  }
  return list;
}

void readFunctions(const Json &list, const std::string &name,
                   std::vector<FunctionManifest> &functions, Status &status) {
  const Json object = {{"functions", list}};
  FieldReader all(object, name, status);
  readList(all, "functions", name, status, [&](const Json &item, const std::string &place) {
    FunctionManifest function;
    FieldReader reader(item, place, status);
    if (functions.size() == maxFunctions)
      return reader.report(fmt::format("there are more than {} functions", maxFunctions));
    reader.read("name", function.name);
    readList(reader, "parts", place, status, [&](const Json &part, const std::string &at) {
      function.parts.push_back(readPart(part, at, int64_t(functions.size()), status));
    });
    functions.push_back(std::move(function));
  });
}

} // namespace llmir
