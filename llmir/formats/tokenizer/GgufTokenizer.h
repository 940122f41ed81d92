// The tokenizer that a GGUF file carries in its tokenizer.ggml.* metadata.
#pragma once

#include "llmir/formats/gguf/Gguf.h"
#include "llmir/formats/tokenizer/Tokenizer.h"

namespace llmir {

/// Errors name the file and the key: missing or of another type, and all of Tokenizer::create's.
Expected<Tokenizer> tokenizerFromGguf(const GgufFile &file);

} // namespace llmir
