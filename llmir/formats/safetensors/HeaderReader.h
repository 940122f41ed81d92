// Reads the JSON of a safetensors header as it comes, without a tree: its memory is that of the
// tensors it names, and what may not be there ends it at once.
#pragma once

#include "llmir/formats/safetensors/Safetensors.h"

namespace llmir {

/// One tensor of the header, its numbers not checked yet.
struct HeaderEntry {
  std::string name, type;
  std::vector<uint64_t> shape, offsets;
};

/// Reads `json`. Errors: no JSON, fields that are missing, unknown, given twice or of another type.
Expected<std::vector<HeaderEntry>> readSafetensorsHeader(std::string_view json);

} // namespace llmir
