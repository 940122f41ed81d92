// Fixed names, and the shards that the index names.
#include "llmir/formats/huggingface/ModelFolder.h"

#include "llmir/formats/huggingface/JsonFields.h"
#include "llmir/support/MappedFile.h"
#include "llmir/support/Shown.h"
#include <algorithm>
#include <filesystem>
#include <set>

namespace llmir::huggingface {

namespace fs = std::filesystem;

static constexpr size_t maxIndexBytes = 64 << 20;
static constexpr const char *singleName = "model.safetensors";

bool ModelFolder::has(const std::string &text) const {
  return std::ranges::binary_search(texts, text);
}

static Status readIndex(ModelFolder &folder) {
  const std::string path = folder.file(indexName);
  auto mapped = MappedFile::open(path);
  if (!mapped)
    return forward(mapped);
  auto json = parseObject(mapped->bytes(), path, maxIndexBytes);
  if (!json)
    return forward(json);
  auto map = json->find("weight_map");
  if (map == json->end() || !map->is_object() || map->empty())
    return fail("{}: has no \"weight_map\" that gives each tensor its file; fetch it again", path);
  std::set<std::string> shards;
  for (const auto &[tensor, file] : map->items()) {
    if (!file.is_string())
      return fail("{}: the file of tensor {} is {}, expected a string", path, shown(tensor),
                  shownValue(file));
    const auto &name = file.get_ref<const std::string &>();
    // Whatever else a path can say, it may lead out of the directory.
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos ||
        name.find('\0') != std::string::npos)
      return fail("{}: the file of tensor {} is \"{}\", expected the name of a file beside it",
                  path, shown(tensor), shown(name));
    std::error_code code;
    if (shards.insert(name).second && !fs::exists(folder.file(name), code))
      return fail("{}: tensor {} is in {}, which is not there: fetch that file", path,
                  shown(tensor), shown(name));
    folder.index.emplace(tensor, name);
  }
  folder.weights.assign(shards.begin(), shards.end());
  return {};
}

Expected<ModelFolder> listModelFolder(const std::string &path) {
  ModelFolder folder{.path = path, .texts = {}, .weights = {}, .index = {}};
  std::error_code code;
  auto exists = [&](const char *name) { return fs::exists(folder.file(name), code); };
  for (const char *name : {"chat_template.jinja", "chat_template.json", "config.json",
                           "generation_config.json", "tokenizer.json", "tokenizer_config.json"})
    if (exists(name))
      folder.texts.emplace_back(name);
  if (!folder.has("config.json"))
    return fail("{}: is a folder without config.json; a GGUF file is expected, or a Hugging Face "
                "model: a folder with config.json, model.safetensors and tokenizer.json",
                path);
  if (exists(singleName)) {
    folder.weights = {singleName};
  } else if (exists(indexName)) {
    if (Status status = readIndex(folder); !status)
      return forward(status);
    folder.texts.emplace_back(indexName);
    std::ranges::sort(folder.texts);
  } else if (exists("pytorch_model.bin") || exists("pytorch_model.bin.index.json")) {
    return fail("{}: has its weights in pytorch_model.bin, which is not supported: fetch its "
                "safetensors, or load the model with transformers and save it by save_pretrained()",
                path);
  } else {
    return fail("{}: has a config.json, but neither {} nor {}: fetch its weights", path, singleName,
                indexName);
  }
  return folder;
}

} // namespace llmir::huggingface
