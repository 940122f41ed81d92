// What a GGUF file holds, in a few numbers, and whether its tensors are sound: for people who ask
// before they load it.
#pragma once

#include "llmir/formats/gguf/Gguf.h"

namespace llmir {

/// All tensors of one format.
struct FormatShare {
  Format format;
  int64_t tensors = 0;
  int64_t elements = 0;
  int64_t bytes = 0;
};

/// Hyperparameters are absent where the file has none or one for each layer.
struct GgufSummary {
  std::string_view architecture, name;           ///< empty: the file does not say
  std::string_view tokenizerModel, preTokenizer; ///< likewise; "tokenizer.json": what that says
  std::optional<int64_t> layers, embedding, feedForward, heads, kvHeads, headSize, experts,
      contextLength, vocabulary;
  bool hasChatTemplate = false;
  int64_t parameters = 0; ///< elements of all tensors
  int64_t tensorBytes = 0;
  std::vector<FormatShare> formats; ///< the one with the most bytes first

  double bitsPerWeight() const {
    return parameters ? 8.0 * double(tensorBytes) / double(parameters) : 0;
  }
};

/// The result refers to the file's memory.
GgufSummary summarize(const GgufFile &file);

/// What verifyTensors() looked at.
struct TensorCheck {
  int64_t tensors = 0;           ///< whose every value was decoded
  std::vector<Format> unchecked; ///< formats without a codec: their bytes were read, no more
};

/// Reads every tensor and decodes every value, on all processors. The error names the first tensor
/// that holds a number that is not finite, with row and column.
Expected<TensorCheck> verifyTensors(const GgufFile &file);

} // namespace llmir
