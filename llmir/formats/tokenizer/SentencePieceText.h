// How sentencepiece writes tokens: ▁ for a space, <0x0A> for a byte.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace llmir {

std::string withSpaces(std::string_view text);

/// The byte of a token such as <0x0A>.
std::optional<uint8_t> byteOfToken(std::string_view text);

} // namespace llmir
