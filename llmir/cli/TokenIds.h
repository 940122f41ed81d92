// Token ids as people write them: decimal numbers between commas or white space.
#pragma once

#include "llmir/support/Error.h"
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace llmir {

/// Errors name `name`, line and column of the first thing that is no id of a vocabulary of
/// `vocabulary` tokens; no ids at all is an error too.
Expected<std::vector<int32_t>> parseTokenIds(std::string_view text, const std::string &name,
                                             int64_t vocabulary);

} // namespace llmir
