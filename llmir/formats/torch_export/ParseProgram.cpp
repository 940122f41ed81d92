// ExportedProgram of the schema: its version, and which inputs of the graph are weights.
#include "llmir/formats/torch_export/ReadGraph.h"

#include "llmir/support/Shown.h"

namespace llmir::torch_export {

static constexpr int64_t schemaMajor = 8;

static InputSpec readInput(const Place &place) {
  using Kind = InputSpec::Kind;
  constexpr struct {
    const char *tag, *source;
    Kind kind;
  } kinds[] = {{"parameter", "parameter_name", Kind::Parameter},
               {"buffer", "buffer_name", Kind::Buffer},
               {"tensor_constant", "tensor_constant_name", Kind::Constant}};
  const std::string tag = place.unionTag();
  const Place spec = place[tag.c_str()];
  for (const auto &row : kinds)
    if (tag == row.tag)
      return {row.kind, spec["arg"]["name"].text(), spec[row.source].text()};
  if (tag != "user_input")
    return {Kind::Other, {}, tag};
  const ArgumentValue argument = readArgument(spec["arg"]);
  if (const auto *tensor = std::get_if<TensorName>(&argument))
    return {Kind::User, tensor->name, {}};
  return {Kind::Other, {}, "user_input"};
}

static void readOutputs(const Place &place, ExportedProgram &program) {
  for (size_t i = 0, size = place.size(); i < size; ++i) {
    const std::string tag = place.at(i).unionTag();
    if (tag != "user_output") {
      program.otherOutput = shown(tag);
      continue;
    }
    const ArgumentValue argument = readArgument(place.at(i)["user_output"]["arg"]);
    if (const auto *tensor = std::get_if<TensorName>(&argument))
      program.outputs.push_back(tensor->name);
    else if (!std::holds_alternative<std::monostate>(argument))
      program.otherOutput = "user_output of another kind than a tensor";
  }
}

/// Without bound, torch writes null or one of its infinities, which are near 2^63.
static void readRanges(const Place &place, ExportedProgram &program) {
  constexpr int64_t infinity = int64_t(1) << 62;
  for (const auto &[symbol, range] : place.object()) {
    const Place bounds(range, place.path + "." + shown(symbol));
    if (bounds.has("max_val"))
      if (int64_t most = bounds["max_val"].integer(0); most < infinity)
        program.largest[symbol] = most;
  }
}

static ExportedProgram readProgram(const Place &place) {
  const Place version = place["schema_version"];
  if (int64_t major = version["major"].integer(); major != schemaMajor)
    throw WrongJson{{fmt::format("schema_version.major is {}, {} is read; export the model with "
                                 "torch 2.8 or later, and not with one that is newer than this",
                                 major, schemaMajor)}};
  const Place module = place["graph_module"];
  ExportedProgram program{.graph = readGraph(module["graph"]), .inputs = {}, .outputs = {}};
  const Place inputs = module["signature"]["input_specs"];
  for (size_t i = 0, size = inputs.size(); i < size; ++i)
    program.inputs.push_back(readInput(inputs.at(i)));
  readOutputs(module["signature"]["output_specs"], program);
  if (place.has("range_constraints"))
    readRanges(place["range_constraints"], program);
  return program;
}

Expected<ExportedProgram> parseProgram(std::span<const uint8_t> json, const std::string &name) {
  auto document = parseJson(json, name, maxProgramBytes);
  if (!document)
    return forward(document);
  try {
    return readProgram({*document, ""});
  } catch (const WrongJson &wrong) {
    return fail("{}: {}", name, wrong.error.message);
  }
}

} // namespace llmir::torch_export
