// The tokenizer that a GGUF file carries in its metadata: tokenizer.ggml.*, or Hugging Face's
// tokenizer.json as tokenizer.huggingface.json where there is no tokenizer.ggml.model.
#pragma once

#include "llmir/formats/gguf/Gguf.h"
#include "llmir/formats/tokenizer/Tokenizer.h"

namespace llmir {

/// Errors name the file and the key: missing or of another type, and all of
/// readTokenizerJson's and Tokenizer::create's.
Expected<Tokenizer> tokenizerFromGguf(const GgufFile &file);

} // namespace llmir
