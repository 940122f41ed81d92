// See the header.
#include "llmir/formats/tokenizer/Utf16.h"

#include <algorithm>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

namespace llmir {

icu::UnicodeString toUtf16(std::string_view text) {
  icu::UnicodeString result(int32_t(text.size()), 0, 0);
  char16_t *out = result.getBuffer(int32_t(text.size()));
  int32_t written = 0;
  const char *bytes = text.data();
  const int32_t size = int32_t(text.size());
  for (int32_t i = 0; i < size;) {
    int32_t start = i;
    UChar32 c;
    U8_NEXT(bytes, i, size, c); // NOLINT(bugprone-inc-dec-in-conditions): ICU's macro
    if (c >= 0) {
      U16_APPEND_UNSAFE(out, written, c);
      continue;
    }
    for (; start < i; ++start)
      out[written++] = char16_t(0xDC00 | uint8_t(text[start]));
  }
  result.releaseBuffer(written);
  return result;
}

std::string toUtf8(const icu::UnicodeString &units) {
  const char16_t *buffer = units.getBuffer();
  std::string text(byteLength(buffer, 0, units.length()), '\0');
  char *out = text.data();
  size_t written = 0;
  for (int32_t i = 0; i < units.length();) {
    UChar32 c;
    U16_NEXT(buffer, i, units.length(), c);
    if (U_IS_TRAIL(c))
      out[written++] = char(c & 0xFF);
    else
      U8_APPEND_UNSAFE(out, written, c);
  }
  return text;
}

size_t byteLength(const char16_t *units, int32_t begin, int32_t end) {
  size_t bytes = 0;
  for (int32_t i = begin; i < end; ++i) {
    const char16_t c = units[i];
    if (U16_IS_LEAD(c)) {
      bytes += 4;
      ++i;
    } else if (U16_IS_TRAIL(c)) {
      bytes += 1;
    } else {
      bytes += U8_LENGTH(c);
    }
  }
  return bytes;
}

size_t characterLength(std::string_view text) {
  const char *bytes = text.data();
  const auto limit = int32_t(std::min<size_t>(text.size(), 4));
  int32_t length = 0;
  UChar32 character = 0;
  U8_NEXT(bytes, length, limit, character); // NOLINT(bugprone-inc-dec-in-conditions): ICU's macro
  return character < 0 ? 1 : size_t(length);
}

} // namespace llmir
