// Which files make up a Hugging Face model directory: those that are read, and no others. What
// identifies a model is made of this list too.
#pragma once

#include "llmir/support/Error.h"
#include <map>
#include <string>
#include <vector>

namespace llmir::huggingface {

inline constexpr size_t maxConfigBytes = 16 << 20;
inline constexpr const char *indexName = "model.safetensors.index.json";

struct ModelFolder {
  std::string path;
  std::vector<std::string> texts;   ///< names of configurations, tokenizer, templates; sorted
  std::vector<std::string> weights; ///< names of safetensors files; sorted
  /// Tensor to file, as the index says; empty without one.
  std::map<std::string, std::string> index;

  std::string file(const std::string &name) const { return path + "/" + name; }
  bool has(const std::string &text) const;
};

/// Lists a directory. Errors: no config.json, no safetensors, an index that is damaged or names
/// files that lie elsewhere or are not there.
Expected<ModelFolder> listModelFolder(const std::string &path);

} // namespace llmir::huggingface
