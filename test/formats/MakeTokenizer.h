// Tokenizers out of vocabularies that tests write by hand, and what is said of bad ones.
#pragma once

#include "llmir/formats/tokenizer/Tokenizer.h"
#include <gtest/gtest.h>

namespace llmir {

inline Tokenizer makeTokenizer(TokenizerData data) {
  Expected<Tokenizer> tokenizer = Tokenizer::create(std::move(data));
  EXPECT_TRUE(tokenizer) << tokenizer.error().message;
  return std::move(*tokenizer);
}

/// The error, which must be one line; "accepted" if there is none.
inline std::string refusal(TokenizerData data) {
  Expected<Tokenizer> tokenizer = Tokenizer::create(std::move(data));
  if (tokenizer)
    return "accepted";
  EXPECT_EQ(tokenizer.error().message.find('\n'), std::string::npos);
  return tokenizer.error().message;
}

} // namespace llmir
