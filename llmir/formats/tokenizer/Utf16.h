// Texts on their way through ICU. Every byte that is no UTF-8 stands as a lone low surrogate
// 0xDC00 + byte: one character of no class, told apart from all others on the way back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unicode/unistr.h>

namespace llmir {

/// Texts that are longer are refused, whatever encodes them.
constexpr size_t maxTextBytes = size_t(512) << 20;

/// What steps may make of a text: no real model comes near, and a damaged one shall not fill the
/// memory.
constexpr size_t maxGrownBytes(size_t textBytes) {
  return textBytes >= maxTextBytes / 32 ? maxTextBytes : 4096 + textBytes * 32;
}

/// At most maxTextBytes.
icu::UnicodeString toUtf16(std::string_view text);

/// The bytes that toUtf16 made these units from.
std::string toUtf8(const icu::UnicodeString &units);

/// The size of what toUtf8 gives for [begin, end).
size_t byteLength(const char16_t *units, int32_t begin, int32_t end);

/// Bytes of the character at the start of `text`, which is not empty; a byte that begins none
/// stands alone.
size_t characterLength(std::string_view text);

} // namespace llmir
