// Tokens to text while they are generated: a token may end inside a UTF-8 sequence, so its last
// bytes are held back until the sequence is whole.
#pragma once

#include "llmir/formats/tokenizer/Tokenizer.h"

namespace llmir {

class StreamDecoder {
public:
  /// The tokenizer must outlive this.
  explicit StreamDecoder(const Tokenizer &tokenizer, DecodeOptions options = {})
      : tokenizer(&tokenizer), options(options) {}

  /// What is new and whole, possibly empty. All parts together are exactly what Tokenizer::decode
  /// gives: bytes that can never become UTF-8 come out as they are.
  std::string push(int32_t id);

  /// The bytes still held back, at the end of the text.
  std::string flush();

private:
  const Tokenizer *tokenizer;
  DecodeOptions options;
  std::string held; // at most 3 bytes between calls
};

} // namespace llmir
