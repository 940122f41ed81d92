// From one table of tensors to the other.
#include "llmir/formats/model/TorchExport.h"

#include "llmir/formats/gguf/GgufWriter.h"
#include <filesystem>
#include <fstream>

namespace llmir {

using torch_export::Archive;
using torch_export::ScalarType;

static std::optional<Format> formatOf(ScalarType type) {
  switch (type) {
  case ScalarType::Float:
    return Format::F32;
  case ScalarType::Half:
    return Format::F16;
  case ScalarType::BFloat16:
    return Format::BF16;
  default:
    return std::nullopt;
  }
}

bool isTorchModel(const std::string &path) {
  std::error_code code;
  if (!std::filesystem::is_regular_file(path, code))
    return false;
  char start[64] = {};
  std::ifstream file(path, std::ios::binary);
  file.read(start, sizeof start);
  return torch_export::isTorchExport(
      {reinterpret_cast<const uint8_t *>(start), static_cast<size_t>(file.gcount())});
}

Expected<TorchModel> openTorchModel(const std::string &path) {
  auto opened = Archive::open(path);
  if (!opened)
    return forward(opened);
  auto archive = std::make_shared<const Archive>(std::move(*opened));
  struct Memory {
    std::shared_ptr<const Archive> archive;
    std::string metadata;
  };
  auto memory = std::make_shared<Memory>(archive, GgufWriter().toBytes());
  GgufParts parts;
  for (const auto &[name, tensor] : archive->tensors())
    if (auto format = formatOf(tensor.type); format && !tensor.shape.empty())
      parts.tensors.push_back(
          {.name = name, .format = *format, .shape = tensor.shape, .bytes = tensor.bytes});
  parts.stamp.add(archive->info());
  parts.memory = memory;
  const auto *bytes = reinterpret_cast<const uint8_t *>(memory->metadata.data());
  auto weights = GgufFile::assemble({bytes, memory->metadata.size()}, path, std::move(parts));
  if (!weights)
    return forward(weights);
  return TorchModel{std::move(archive), std::move(*weights)};
}

} // namespace llmir
