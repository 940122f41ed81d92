// Numbers and names as people read them in tables.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace llmir {

/// 98.1 M, 1.24 G: three digits and more, decimal prefixes.
std::string scaled(double value, const char *unit);

/// 91,726,880
std::string exact(int64_t value);

/// Text of a file on one line of a terminal: no control characters, nothing but valid UTF-8.
std::string oneLine(std::string_view text);

} // namespace llmir
