// The tensors of a configuration under their names in Hugging Face and in GGUF, found in the
// safetensors files of a directory.
#pragma once

#include "llmir/formats/huggingface/Config.h"
#include "llmir/formats/huggingface/ModelFolder.h"
#include "llmir/formats/safetensors/Safetensors.h"
#include "llmir/support/MappedFile.h"
#include <deque>
#include <unordered_map>

namespace llmir::huggingface {

/// The mapped safetensors files and what they hold.
class WeightFiles {
public:
  /// Opens all. Errors: a file's own; a tensor that is in two files, or not where the index says.
  static Expected<WeightFiles> open(const ModelFolder &folder);

  struct Place {
    SafetensorsTensor tensor;
    size_t file; ///< index into files()
  };
  const Place *find(std::string_view name) const;
  const std::vector<MappedFile> &files() const { return mapped; }
  /// By name.
  const std::unordered_map<std::string_view, const Place *> &all() const { return byName; }

private:
  std::vector<MappedFile> mapped;
  std::deque<Place> places;
  std::unordered_map<std::string_view, const Place *> byName;
};

/// What GGUF's tensors are made of.
struct Weights {
  WeightFiles files;
  std::deque<std::string> names;        ///< those that the tensors refer to
  std::vector<float> rope;              ///< frequencyFactors
  std::deque<std::vector<float>> norms; ///< those that GGUF has other numbers for
};

/// The tensors that `config` asks for, as views into `weights`, which gets their names and must
/// stay where it is; the others are listed as ignored. Errors: a tensor that is missing, of another
/// shape or of a type that is not supported.
Expected<GgufParts> placeWeights(const ModelFolder &folder, const ModelConfig &config,
                                 Weights &weights);

} // namespace llmir::huggingface
