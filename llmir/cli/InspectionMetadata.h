// Metadata of a GGUF file as JSON values, whatever their types: for listings.
#pragma once

#include "llmir/formats/gguf/Gguf.h"
#include <nlohmann/json.hpp>

namespace llmir {

/// The value of a key that is in the file; of an array at most its first `most` elements.
nlohmann::ordered_json metadataValue(const GgufFile &file, std::string_view key,
                                     uint64_t most = UINT64_MAX);

} // namespace llmir
