// Text of a file as it may stand in an error message: one line, short, printable. For all parsers,
// which name keys, fields and tensors of files that nobody vouches for.
#pragma once

#include <string>
#include <string_view>

namespace llmir {

/// At most 64 bytes of `text`, with '?' for everything that is not printable ASCII.
inline std::string shown(std::string_view text) {
  std::string result;
  for (char c : text.substr(0, 64))
    result += c >= 32 && c < 127 ? c : '?';
  return text.size() > 64 ? result + "…" : result;
}

} // namespace llmir
