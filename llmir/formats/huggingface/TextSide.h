// What turns text into tokens and dialogues into text, from tokenizer.json and the small files
// beside it, as GGUF's metadata.
#pragma once

#include "llmir/formats/gguf/GgufWriter.h"
#include "llmir/formats/huggingface/JsonFields.h"
#include "llmir/formats/huggingface/ModelFolder.h"
#include "llmir/support/MappedFile.h"
#include <functional>

namespace llmir::huggingface {

/// The bytes of one of a folder's files, nothing if it is not there.
using ReadText = std::function<std::optional<std::span<const uint8_t>>(const char *name)>;

/// Writes the keys tokenizer.*: the whole of tokenizer.json, the chat template, and the tokens that
/// begin and end texts. `config` is config.json, `vocabulary` its "vocab_size". Errors name the
/// file and the field: of another type, out of range.
Status writeTextSide(const ModelFolder &folder, const Json &config, int64_t vocabulary,
                     const ReadText &read, GgufWriter &writer);

} // namespace llmir::huggingface
