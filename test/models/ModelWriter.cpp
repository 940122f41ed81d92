// Writes the parts of a model's text that all generators have in common.
#include "ModelWriter.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace llmir::test {

std::string ModelWriter::name(const char *prefix) { return fmt::format("{}_{}", prefix, next++); }

std::string ModelWriter::act(int64_t columns) { return fmt::format("tensor<?x{}xf32>", columns); }

ModelWriter::Weight ModelWriter::declare(const char *prefix, Format format,
                                         std::vector<int64_t> shape,
                                         const std::vector<int64_t> &ofLayers, float mean,
                                         float deviation) {
  const FormatInfo &info = formatInfo(format);
  model.onlyFloat &= !info.scheme;
  std::string element =
      info.scheme ? fmt::format("!llm.quant<{}>", info.name) : std::string(info.name);
  Weight weight{name(prefix), fmt::format("tensor<{}x{}>", fmt::join(shape, "x"), element)};
  weights += fmt::format("  llm.weight @{} : {} from \"{}{}\"", weight.symbol, weight.type,
                         ofLayers.empty() ? "" : "{}.", weight.symbol);
  if (!ofLayers.empty())
    weights += fmt::format(" layers [{}]", fmt::join(ofLayers, ", "));
  weights += "\n";
  if (ofLayers.empty())
    model.tensors[weight.symbol] = randomTensor(random, format, shape, mean, deviation);
  for (int64_t layer : ofLayers)
    model.tensors[fmt::format("{}.{}", layer, weight.symbol)] =
        randomTensor(random, format, shape, mean, deviation);
  return weight;
}

std::string ModelWriter::get(const Weight &weight) {
  std::string value = "%" + name("w");
  body += fmt::format("    {} = llm.get_weight @{}{} : {}\n", value, weight.symbol,
                      here.empty() ? "" : "[%layer]", weight.type);
  return value;
}

std::string ModelWriter::emit(const std::string &op) {
  std::string value = "%" + name("v");
  body += fmt::format("    {} = {}\n", value, op);
  return value;
}

} // namespace llmir::test
