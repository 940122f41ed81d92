// Field names in snake_case with their unit; null is what the file does not say.
#include "llmir/cli/InspectionJson.h"

#include "llmir/cli/InspectionMetadata.h"

namespace llmir {

namespace {

using Json = nlohmann::ordered_json;

template <typename T> Json orNull(const std::optional<T> &value) {
  return value ? Json(*value) : Json(nullptr);
}
Json orNull(std::string_view text) { return text.empty() ? Json(nullptr) : Json(text); }

const char *nameOf(Fit fit) {
  switch (fit) {
  case Fit::Fits:
    return "fits";
  case Fit::Displaces:
    return "displaces";
  case Fit::No:
    return "does_not_fit";
  }
  return "";
}

Json fileJson(const Inspection &inspection) {
  const GgufSummary &summary = inspection.summary;
  Json formats = Json::array();
  for (const FormatShare &share : summary.formats)
    formats.push_back({{"type", formatInfo(share.format).name},
                       {"tensors", share.tensors},
                       {"parameters", share.elements},
                       {"bytes", share.bytes}});
  return {{"model", inspection.path},
          {"file_bytes", inspection.fileBytes},
          {"gguf_version",
           inspection.file.isAssembled() ? Json(nullptr) : Json(inspection.file.version())},
          {"name", orNull(summary.name)},
          {"architecture", orNull(summary.architecture)},
          {"parameters", summary.parameters},
          {"bits_per_weight", summary.bitsPerWeight()},
          {"tensor_bytes", summary.tensorBytes},
          {"formats", std::move(formats)},
          {"tokenizer", orNull(summary.tokenizerModel)},
          {"pre_tokenizer", orNull(summary.preTokenizer)},
          {"chat_template", summary.hasChatTemplate},
          {"layers", orNull(summary.layers)},
          {"embedding_length", orNull(summary.embedding)},
          {"feed_forward_length", orNull(summary.feedForward)},
          {"heads", orNull(summary.heads)},
          {"kv_heads", orNull(summary.kvHeads)},
          {"head_size", orNull(summary.headSize)},
          {"experts", orNull(summary.experts)},
          {"context_length", orNull(summary.contextLength)},
          {"vocabulary", orNull(summary.vocabulary)}};
}

Json artifactJson(const Artifact &artifact) {
  const Manifest &manifest = artifact.manifest();
  return {{"model_file", manifest.modelFile},
          {"compiler", manifest.compiler},
          {"target", manifest.cpu},
          {"cpu_flags", manifest.features},
          {"code_bytes", artifact.code().size()}};
}

Json planJson(const MemoryPlan &plan, const Manifest &manifest) {
  return {{"context", plan.context},
          {"batch", plan.batch},
          {"prefill_chunk", plan.prefillChunk},
          {"activations", manifest.activations},
          {"kv", manifest.kv.elementType},
          {"quantize", manifest.quantize},
          {"target", manifest.cpu},
          {"memory",
           {{"weights_bytes", plan.use.weights},
            {"kv_bytes", plan.use.kv},
            {"scratch_bytes", plan.use.scratch},
            {"logits_bytes", plan.use.logits},
            {"planned_bytes", plan.use.total()},
            {"program_bytes", plan.program},
            {"total_bytes", plan.total()},
            {"kv_bytes_per_token", plan.kvPerToken}}},
          {"fits", plan.fit == Fit::Fits},
          {"verdict", nameOf(plan.fit)},
          {"advice", orNull(plan.wayOut)},
          {"largest_context", plan.largestContext},
          {"largest_batch", plan.largestBatch}};
}

Json tensorsJson(const GgufFile &file) {
  Json list = Json::array();
  for (const GgufTensor &tensor : file.tensors())
    list.push_back({{"name", tensor.name},
                    {"type", formatInfo(tensor.format).name},
                    {"shape", tensor.shape},
                    {"bytes", tensor.byteCount()}});
  return list;
}

} // namespace

std::string inspectionJson(const Inspection &inspection, bool tensors, bool metadata) {
  Json json = fileJson(inspection);
  json["artifact"] = inspection.artifact ? artifactJson(*inspection.artifact) : Json(nullptr);
  if (inspection.plan)
    json.update(planJson(*inspection.plan, *inspection.manifest));
  json.update({{"physical_bytes", inspection.machine.physical},
               {"limit_bytes", orNull(inspection.machine.limit)},
               {"available_bytes", inspection.machine.available}});
  if (inspection.check) {
    Json unchecked = Json::array();
    for (Format format : inspection.check->unchecked)
      unchecked.push_back(formatInfo(format).name);
    json["verified"] = {{"tensors", inspection.check->tensors},
                        {"unchecked_types", std::move(unchecked)}};
  }
  if (tensors)
    json["tensors"] = tensorsJson(inspection.file);
  if (metadata) {
    json["metadata"] = Json::object();
    for (std::string_view key : inspection.file.keys())
      json["metadata"][std::string(key)] = metadataValue(inspection.file, key);
  }
  json["error"] = inspection.problem ? Json(nullptr) : Json(inspection.problem.error().message);
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace llmir
