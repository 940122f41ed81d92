// Text of a file as it may stand in an error message: one line, short.
#pragma once

#include <string>
#include <string_view>

namespace llmir {

/// About the first 60 bytes of UTF-8, with '?' for control characters.
std::string shownText(std::string_view text);

} // namespace llmir
