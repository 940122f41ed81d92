// See the header.
#include "llmir/formats/tokenizer/ShownText.h"

#include <algorithm>
#include <cstdint>
#include <unicode/utf8.h>

namespace llmir {

std::string shownText(std::string_view text) {
  const char *bytes = text.data();
  size_t length = std::min<size_t>(text.size(), 60);
  if (length < text.size())
    U8_TRUNCATE_IF_INCOMPLETE(bytes, 0, length);
  std::string line;
  for (char c : text.substr(0, length))
    line += uint8_t(c) < 0x20 || c == 0x7F ? '?' : c;
  return length < text.size() ? line + "..." : line;
}

} // namespace llmir
