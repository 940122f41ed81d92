// Graph, Node, Argument and TensorMeta of the schema.
#include "llmir/formats/torch_export/ReadGraph.h"

#include "llmir/support/Shown.h"
#include <algorithm>
#include <charconv>

namespace llmir::torch_export {

namespace {

constexpr int64_t maxRank = 32;
constexpr int64_t maxSize = int64_t(1) << 40;

constexpr struct {
  ScalarType type;
  std::string_view name;
  int bytes;
} scalarTypes[] = {{ScalarType::Byte, "uint8", 1},    {ScalarType::Char, "int8", 1},
                   {ScalarType::Short, "int16", 2},   {ScalarType::Int, "int32", 4},
                   {ScalarType::Long, "int64", 8},    {ScalarType::Half, "float16", 2},
                   {ScalarType::Float, "float32", 4}, {ScalarType::Double, "float64", 8},
                   {ScalarType::Bool, "bool", 1},     {ScalarType::BFloat16, "bfloat16", 2}};

ScalarType readScalarType(const Place &place) {
  return static_cast<ScalarType>(place.integer(0, 255));
}

SizeExpression readSize(const Place &place) {
  if (place.unionTag() == "as_int")
    return SizeExpression::integer(place["as_int"].integer(0, maxSize));
  const Place text = place["as_expr"]["expr_str"];
  auto parsed = parseSizeExpression(text.text());
  if (!parsed)
    throw WrongJson{{fmt::format("{}: {}", text.path, parsed.error().message)}};
  if (parsed->isInteger() && (parsed->value < 0 || parsed->value > maxSize))
    text.wrong(fmt::format("a size from 0 to {}", maxSize));
  return *parsed;
}

template <typename Read> auto readList(const Place &place, Read read) {
  std::vector<decltype(read(place))> result;
  for (size_t i = 0, size = place.size(); i < size; ++i)
    result.push_back(read(place.at(i)));
  return result;
}

TensorName readTensorName(const Place &place) { return {place["name"].text()}; }

TensorName readOptionalTensor(const Place &place) {
  return place.unionTag() == "as_none" ? TensorName{} : readTensorName(place["as_tensor"]);
}

IntArgument readInt(const Place &place) {
  if (place.unionTag() == "as_int")
    return place["as_int"].integer();
  return place["as_name"].text();
}

/// `File "model.py", line 12, in forward`, of which the last one is the innermost.
void readStackTrace(std::string_view trace, Node &node) {
  constexpr std::string_view start = "File \"", middle = "\", line ";
  const size_t at = trace.rfind(start);
  if (at == std::string_view::npos)
    return;
  trace.remove_prefix(at + start.size());
  const size_t end = trace.find(middle);
  if (end == std::string_view::npos || end > 4096)
    return;
  int line = 0;
  const char *digits = trace.data() + end + middle.size();
  auto [stop, error] = std::from_chars(digits, trace.data() + trace.size(), line);
  if (error != std::errc() || line < 1)
    return;
  node.file = std::string(trace.substr(0, end));
  node.line = line;
}

/// "key,path,class;key,path,class": the last path is the innermost.
std::string modulePath(std::string_view stack) {
  stack.remove_prefix(std::min(stack.size(), stack.rfind(';') + 1)); // npos + 1 is 0
  const size_t first = stack.find(',');
  if (first == std::string_view::npos)
    return {};
  std::string_view path = stack.substr(first + 1);
  path = path.substr(0, path.find(','));
  return path.starts_with('_') ? "" : std::string(path);
}

Node readNode(const Place &place) {
  Node node{
      .target = place["target"].text(), .inputs = {}, .outputs = {}, .modulePath = {}, .file = {}};
  node.inputs = readList(place["inputs"], [](const Place &input) {
    return Argument{input["name"].text(), readArgument(input["arg"])};
  });
  node.outputs = readList(place["outputs"], readArgument);
  if (place.has("metadata")) {
    const Place metadata = place["metadata"];
    if (metadata.has("stack_trace"))
      readStackTrace(metadata["stack_trace"].text(), node);
    if (metadata.has("nn_module_stack"))
      node.modulePath = modulePath(metadata["nn_module_stack"].text());
  }
  return node;
}

} // namespace

std::string nameOf(ScalarType type) {
  for (const auto &row : scalarTypes)
    if (row.type == type)
      return std::string(row.name);
  return fmt::format("type {}", static_cast<int>(type));
}

int bytesOf(ScalarType type) {
  for (const auto &row : scalarTypes)
    if (row.type == type)
      return row.bytes;
  return 0;
}

TensorMeta readTensorMeta(const Place &place) {
  TensorMeta meta{readScalarType(place["dtype"]), {}};
  const Place sizes = place["sizes"];
  if (sizes.size() > maxRank)
    throw WrongJson{{fmt::format("{} has {} dimensions, at most {} are allowed", sizes.path,
                                 sizes.size(), maxRank)}};
  meta.sizes = readList(sizes, readSize);
  return meta;
}

ArgumentValue readArgument(const Place &place) {
  const std::string tag = place.unionTag();
  const Place part = place[tag.c_str()];
  if (tag == "as_tensor")
    return readTensorName(part);
  if (tag == "as_tensors")
    return readList(part, readTensorName);
  if (tag == "as_optional_tensors")
    return readList(part, readOptionalTensor);
  if (tag == "as_optional_tensor")
    return part.unionTag() == "as_none" ? ArgumentValue() : readTensorName(part["as_tensor"]);
  if (tag == "as_int")
    return IntArgument(part.integer());
  if (tag == "as_ints")
    return readList(part, [](const Place &item) { return IntArgument(item.integer()); });
  if (tag == "as_sym_int")
    return readInt(part);
  if (tag == "as_sym_ints")
    return readList(part, readInt);
  if (tag == "as_float")
    return part.number();
  if (tag == "as_bool")
    return part.flag();
  if (tag == "as_string")
    return part.text();
  if (tag == "as_scalar_type")
    return readScalarType(part);
  if (tag == "as_graph")
    return std::make_shared<const Graph>(readGraph(part["graph"]));
  for (const char *known : {"as_none", "as_device", "as_layout", "as_memory_format", "as_operator",
                            "as_sym_bool", "as_sym_float"})
    if (tag == known)
      return std::monostate();
  throw WrongJson{
      {fmt::format("{} has the kind {}, which is not supported", place.path, shown(tag))}};
}

Graph readGraph(const Place &place) {
  Graph graph;
  graph.inputs = readList(place["inputs"], readArgument);
  graph.outputs = readList(place["outputs"], readArgument);
  graph.nodes = readList(place["nodes"], readNode);
  const Place tensors = place["tensor_values"];
  for (const auto &[name, value] : tensors.object())
    graph.tensors.emplace(name, readTensorMeta({value, tensors.path + "." + shown(name)}));
  if (!place.has("sym_int_values"))
    return graph;
  const Place ints = place["sym_int_values"];
  for (const auto &[name, value] : ints.object()) {
    const Place number(value, ints.path + "." + shown(name));
    graph.symbolicInts.emplace(name, number.unionTag() == "as_int"
                                         ? IntArgument(number["as_int"].integer())
                                         : IntArgument(number["as_expr"]["expr_str"].text()));
  }
  return graph;
}

} // namespace llmir::torch_export
