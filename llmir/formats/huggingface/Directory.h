// A Hugging Face model directory, seen as the GGUF file that it would be converted to: config.json
// becomes metadata, tensors get their GGUF names and stay where they are in the safetensors files.
// All behind it, from architectures to chat, takes both alike.
#pragma once

#include "llmir/formats/gguf/Gguf.h"

namespace llmir {

/// Maps and checks all files that are read (ModelFolder.h). Errors name the file, the field or
/// tensor under its name there, its value and what is allowed.
Expected<GgufFile> openHuggingFace(const std::string &folder);

} // namespace llmir
