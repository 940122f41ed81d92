// See the header.
#include "llmir/formats/tokenizer/SentencePieceText.h"

#include <charconv>

namespace llmir {

static constexpr std::string_view spaceMark = "\xE2\x96\x81"; // ▁, U+2581

std::string withSpaces(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (size_t mark; (mark = text.find(spaceMark)) != std::string_view::npos;) {
    result.append(text.substr(0, mark)) += ' ';
    text.remove_prefix(mark + spaceMark.size());
  }
  return result.append(text);
}

std::optional<uint8_t> byteOfToken(std::string_view text) {
  if (text.size() != 6 || !text.starts_with("<0x") || !text.ends_with('>'))
    return std::nullopt;
  uint8_t byte = 0;
  const char *begin = text.data() + 3, *end = begin + 2;
  auto [stop, failure] = std::from_chars(begin, end, byte, 16);
  return stop == end && failure == std::errc() ? std::optional(byte) : std::nullopt;
}

} // namespace llmir
