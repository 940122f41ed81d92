// The JSON files of Hugging Face directories, one text in the place of each: whatever it says, an
// error or metadata that are well-formed GGUF.
#include "Fuzz.h"

#include "llmir/formats/huggingface/Config.h"
#include "llmir/formats/huggingface/TextSide.h"

using namespace llmir;
using namespace llmir::huggingface;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  auto json = parseObject({data, size}, "fuzz/config.json", maxConfigBytes);
  if (!json)
    return 0;
  GgufWriter writer;
  int64_t vocabulary = 1000;
  if (auto config = readConfig(*json, "fuzz/config.json")) {
    writeConfig(*config, writer);
    vocabulary = config->vocabulary;
    if (config->headSize <= 4096)
      for (float factor : frequencyFactors(config->rope, config->headSize))
        require(factor > 0);
  }
  const ModelFolder folder{.path = "fuzz", .texts = {}, .weights = {}, .index = {}};
  auto read = [&](const char *name) -> std::optional<std::span<const uint8_t>> {
    if (std::string_view(name).ends_with(".jinja"))
      return std::nullopt;
    return std::span(data, size);
  };
  if (!writeTextSide(folder, *json, vocabulary, read, writer))
    return 0;
  const std::string bytes = writer.toBytes();
  require(GgufFile::parse({reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()}, "fuzz")
              .has_value());
  return 0;
}
