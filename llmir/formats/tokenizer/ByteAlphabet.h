// GPT-2's alphabet: every byte as one printable character, the way byte-level vocabularies write
// their tokens (a space is Ġ, a newline Ċ).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace llmir {

/// The bytes that a token's text stands for, or nothing where a character is outside the alphabet.
std::optional<std::string> bytesOfToken(std::string_view text);

} // namespace llmir
