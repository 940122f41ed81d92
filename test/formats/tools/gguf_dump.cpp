// Shows what the GGUF reader sees, for the Python oracles: `gguf_dump FILE` prints metadata and
// tensors as JSON; `gguf_dump FILE TENSOR OUT` writes one tensor's dequantised floats to OUT;
// `gguf_dump --rewrite FILE FORMAT OUT` writes the file again with all tensors in another format.
#include "llmir/formats/gguf/GgufWriter.h"
#include "llmir/quant/Quantize.h"
#include <deque>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

using namespace llmir;
using nlohmann::json;

template <typename T> static json orError(Expected<T> value) {
  return value ? json(*value) : json{{"error", value.error().message}};
}

static json metadataValue(const GgufFile &file, std::string_view key) {
  const Expected<GgufValue> value = file.value(key);
  switch (value->type) {
  case GgufType::Bool:
    return value->isArray ? json(nullptr) : orError(file.getBool(key));
  case GgufType::String:
    return value->isArray ? orError(file.getStringArray(key)) : orError(file.getString(key));
  case GgufType::Array:
    return nullptr;
  case GgufType::F32:
  case GgufType::F64:
    return value->isArray ? orError(file.getF32Array(key)) : orError(file.getF32(key));
  case GgufType::U64:
    return value->isArray ? orError(file.getI32Array(key)) : orError(file.getU64(key));
  default:
    return value->isArray ? orError(file.getI32Array(key)) : orError(file.getI64(key));
  }
}

static void list(const GgufFile &file) {
  json metadata = json::object(), tensors = json::object();
  for (std::string_view key : file.keys())
    metadata[std::string(key)] = metadataValue(file, key);
  for (const GgufTensor &tensor : file.tensors())
    tensors[std::string(tensor.name)] = {{"format", formatInfo(tensor.format).name},
                                         {"shape", tensor.shape},
                                         {"offset", tensor.offset},
                                         {"bytes", tensor.bytes.size()}};
  std::cout << json{{"version", file.version()}, {"metadata", metadata}, {"tensors", tensors}}.dump(
      -1, ' ', false, json::error_handler_t::replace);
}

static Expected<std::vector<float>> floats(const GgufFile &file, const GgufTensor &tensor) {
  const FormatInfo &info = formatInfo(tensor.format);
  if (!info.hasCodec)
    return fail("{}: tensor '{}' is {}, which has no codec", file.path(), tensor.name, info.name);
  int64_t count = 1;
  for (int64_t size : tensor.shape)
    count *= size;
  std::vector<float> values(static_cast<size_t>(count));
  dequantize(tensor.format, tensor.bytes.data(), values.data(), count);
  return values;
}

static Status dump(const GgufFile &file, const char *name, const char *path) {
  const GgufTensor *tensor = file.findTensor(name);
  if (!tensor)
    return fail("{}: has no tensor '{}'", file.path(), name);
  auto values = floats(file, *tensor);
  if (!values)
    return forward(values);
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char *>(values->data()),
            static_cast<std::streamsize>(values->size() * 4));
  if (!out.flush())
    return fail("{}: cannot be written", path);
  return {};
}

static Status rewrite(const GgufFile &file, const char *formatName, const char *path) {
  auto format = formatByName(formatName);
  if (!format || !formatInfo(*format).hasCodec)
    return fail("{}: is no format with a codec", formatName);
  GgufWriter writer;
  for (std::string_view key : file.keys())
    writer.addValue(key, *file.value(key));
  std::deque<std::vector<uint8_t>> encoded; // the writer reads them when it writes
  for (const GgufTensor &tensor : file.tensors()) {
    auto values = floats(file, tensor);
    if (!values)
      return forward(values);
    auto count = static_cast<int64_t>(values->size());
    encoded.emplace_back(static_cast<size_t>(rowBytes(*format, count)));
    quantizeRow(*format, values->data(), encoded.back().data(), count);
    writer.addTensor(tensor.name, *format, tensor.shape, encoded.back());
  }
  return writer.write(path);
}

int main(int argc, char **argv) {
  const bool rewrites = argc == 5 && std::string_view(argv[1]) == "--rewrite";
  if (argc != 2 && argc != 4 && !rewrites) {
    std::cerr << "usage: gguf_dump FILE [TENSOR OUT] | gguf_dump --rewrite FILE FORMAT OUT\n";
    return 2;
  }
  Expected<GgufFile> file = GgufFile::open(argv[rewrites ? 2 : 1]);
  Status status;
  if (!file)
    status = forward(file);
  else if (rewrites)
    status = rewrite(*file, argv[3], argv[4]);
  else if (argc == 2)
    list(*file);
  else
    status = dump(*file, argv[2], argv[3]);
  if (status)
    return 0;
  std::cerr << status.error().message << "\n";
  return 1;
}
