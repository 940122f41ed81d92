// Lists, reads the configuration, finds the tensors, writes the metadata.
#include "llmir/formats/huggingface/Directory.h"

#include "llmir/formats/huggingface/TextSide.h"
#include "llmir/formats/huggingface/Weights.h"

namespace llmir {

namespace {

using namespace huggingface;

/// All that the views of a GgufFile refer to.
struct Memory {
  Weights weights;
  std::string metadata;
};

/// The small files of a folder, mapped while its metadata is written.
struct TextFiles {
  std::map<std::string, MappedFile> files;

  static Expected<TextFiles> open(const ModelFolder &folder, FileStamp &stamp) {
    TextFiles texts;
    for (const std::string &name : folder.texts) {
      auto mapped = MappedFile::open(folder.file(name));
      if (!mapped)
        return forward(mapped);
      stamp.add(mapped->info());
      texts.files.emplace(name, std::move(*mapped));
    }
    return texts;
  }
  std::optional<std::span<const uint8_t>> find(const char *name) const {
    auto found = files.find(name);
    return found == files.end() ? std::nullopt : std::optional(found->second.bytes());
  }
};

} // namespace

Expected<GgufFile> openHuggingFace(const std::string &path) {
  auto folder = listModelFolder(path);
  if (!folder)
    return forward(folder);
  FileStamp stamp;
  auto texts = TextFiles::open(*folder, stamp);
  if (!texts)
    return forward(texts);
  const std::string configPath = folder->file("config.json");
  auto json = parseObject(*texts->find("config.json"), configPath, maxConfigBytes);
  if (!json)
    return forward(json);
  auto config = readConfig(*json, configPath);
  if (!config)
    return forward(config);

  GgufWriter writer;
  writeConfig(*config, writer);
  auto read = [&](const char *name) { return texts->find(name); };
  if (Status status = writeTextSide(*folder, *json, config->vocabulary, read, writer); !status)
    return forward(status);

  auto memory = std::make_shared<Memory>();
  memory->metadata = writer.toBytes();
  auto files = WeightFiles::open(*folder);
  if (!files)
    return forward(files);
  memory->weights.files = std::move(*files);
  for (const MappedFile &file : memory->weights.files.files())
    stamp.add(file.info());
  auto parts = placeWeights(*folder, *config, memory->weights);
  if (!parts)
    return forward(parts);
  parts->stamp = stamp;
  parts->memory = memory;
  const auto *bytes = reinterpret_cast<const uint8_t *>(memory->metadata.data());
  return GgufFile::assemble({bytes, memory->metadata.size()}, path, std::move(*parts));
}

} // namespace llmir
