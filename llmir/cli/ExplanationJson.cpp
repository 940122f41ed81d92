// Field names in snake_case with their unit, as everywhere.
#include "llmir/cli/ExplanationJson.h"

#include "llmir/support/CpuInfo.h"
#include <nlohmann/json.hpp>

namespace llmir {

namespace {

using Json = nlohmann::ordered_json;

Json roofJson(const ArithmeticRoof &roof) {
  return {{"instructions", roof.name}, {"operations_per_s", roof.perSecond}};
}

Json costJson(const Cost &cost, const Roofs &roofs) {
  return {{"bytes", cost.bytes()},
          {"weights_read_bytes", cost.weightBytes},
          {"cache_bytes", cost.cacheBytes},
          {"activation_bytes", cost.activationBytes},
          {"operations", cost.operations()},
          {"int8_operations", cost.int8Operations},
          {"int16_operations", cost.int16Operations},
          {"limit", cost.isMemoryBound(roofs) ? "memory" : "arithmetic"}};
}

Json kernelJson(const KernelExplanation &explained, const Roofs &roofs) {
  const KernelManifest &kernel = *explained.kernel;
  Json weights = Json::array();
  for (const KernelWeight &weight : kernel.weights)
    weights.push_back({{"name", weight.name}, {"bytes", weight.bytes}});
  Json json = {{"op", kernel.op}, {"names", explained.names}, {"weights", std::move(weights)}};
  if (!kernel.format.empty())
    json.update({{"format", kernel.format},
                 {"activations", kernel.activations},
                 {"rows", kernel.rows},
                 {"columns", kernel.columns},
                 {"lanes", kernel.lanes},
                 {"row_blocks", kernel.rowBlocks},
                 {"experts", kernel.picked ? kernel.matrices : 0},
                 {"experts_per_token", kernel.picked}});
  json.update(costJson(explained.cost, roofs));
  json["predicted_s"] = explained.cost.seconds(roofs);
  json["why"] = explained.why;
  return json;
}

Json phaseJson(const PhaseExplanation &phase, const Explanation &explanation) {
  const Roofs &roofs = explanation.roofs;
  Json kernels = Json::array();
  for (const KernelExplanation &kernel : phase.kernels)
    kernels.push_back(kernelJson(kernel, roofs));
  Json json = {{"name", phase.name},
               {"function", explanation.manifest.functions[phase.run.function].name},
               {"count", phase.count},
               {"partition", phase.phase->partition},
               {"barriers", phase.count * phase.run.barriers}};
  json.update(costJson(phase.cost, roofs));
  json.update({{"predicted_s", phase.predicted},
               {"measured_s", phase.measured},
               {"barriers_s", phase.waited},
               {"share_of_step", phase.measured / explanation.stepSeconds},
               {"share_of_roof", phase.predicted / std::max(1e-12, phase.measured)},
               {"kernels", std::move(kernels)}});
  return json;
}

} // namespace

std::string explanationJson(const Explanation &explanation, const std::string &model) {
  const Manifest &manifest = explanation.manifest;
  const ExplanationRequest &request = explanation.request;
  const Roofs &roofs = explanation.roofs;
  Json phases = Json::array();
  for (const PhaseExplanation &phase : explanation.phases)
    phases.push_back(phaseJson(phase, explanation));
  const Json json = {
      {"model", model},
      {"version", LLMIR_VERSION},
      {"cpu", cpuModelName()},
      {"target", manifest.cpu},
      {"cpu_flags", manifest.features},
      {"threads", explanation.shape.workers},
      {"activations", manifest.activations},
      {"kv", manifest.kv.elementType},
      {"quantize", manifest.quantize},
      {"step",
       {{"kind", request.prefill ? "prefill" : "decode"},
        {"tokens", explanation.shape.tokens},
        {"sequences", explanation.shape.sequences},
        {"behind", request.prefill ? 0 : request.behind}}},
      {"repetitions", request.repetitions},
      {"weights_bytes", manifest.weightBytes},
      {"roofs",
       {{"memory",
         {{"bytes_per_s", roofs.memoryPerSecond},
          {"buffer_bytes", roofs.bufferBytes},
          {"last_level_cache_bytes", cacheBytes(3)}}},
        {"f32", roofJson(roofs.f32)},
        {"int8", roofJson(roofs.int8)},
        {"int16", roofJson(roofs.int16)}}},
      {"phases", std::move(phases)},
      {"barriers", explanation.barriers},
      {"barriers_s", explanation.waited()},
      {"step_s", explanation.stepSeconds},
      {"measured_s", explanation.measured()},
      {"predicted_s", explanation.predicted()},
      {"share_of_roof", explanation.predicted() / std::max(1e-12, explanation.stepSeconds)},
      {"foreign_cpu", explanation.foreignCpu}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace llmir
