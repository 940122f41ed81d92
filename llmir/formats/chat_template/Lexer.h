// Cuts a template into text and the tokens inside its tags, and settles white space: `-` marks, and
// the newline after and the indentation before a block (trim_blocks, lstrip_blocks).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace llmir::jinja {

enum class TokenKind {
  Text,
  BlockBegin,
  BlockEnd,
  PrintBegin,
  PrintEnd,
  Name,
  Integer,
  Float,
  String,
  Symbol,
  End
};

struct Token {
  TokenKind kind;
  std::string text; // strings with their escapes resolved
  int line;
};

/// Throws Failure for tags, strings and comments that do not end and for characters that fit
/// nowhere.
std::vector<Token> tokenize(std::string_view source);

} // namespace llmir::jinja
