// The printable Latin-1 characters stand for themselves; the other 68 bytes are U+0100 and up, in
// order.
#include "llmir/formats/tokenizer/ByteAlphabet.h"

#include <array>
#include <cstdint>

namespace llmir {

static constexpr bool standsForItself(unsigned byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD && byte <= 0xFF);
}

static constexpr auto shifted = [] { // [n]: the byte that U+0100 + n stands for
  std::array<uint8_t, 68> table{};
  size_t count = 0;
  for (unsigned byte = 0; byte < 256; ++byte)
    if (!standsForItself(byte))
      table[count++] = uint8_t(byte);
  return table;
}();

std::optional<std::string> bytesOfToken(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned c = uint8_t(text[i]);
    // All of the alphabet beyond ASCII is in U+0080..U+07FF: two bytes.
    if (c >= 0x80) {
      if (c < 0xC2 || c > 0xDF || i + 1 == text.size() || (uint8_t(text[i + 1]) & 0xC0) != 0x80)
        return std::nullopt;
      c = (c & 0x1F) << 6 | (uint8_t(text[++i]) & 0x3F);
    }
    if (c < 0x100 && standsForItself(c))
      bytes += char(c);
    else if (c >= 0x100 && c < 0x100 + shifted.size())
      bytes += char(shifted[c - 0x100]);
    else
      return std::nullopt;
  }
  return bytes;
}

} // namespace llmir
