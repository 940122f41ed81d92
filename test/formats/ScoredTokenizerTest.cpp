// Sentencepiece's BPE on a vocabulary small enough to follow by hand: merging by score, byte
// fallback, special tokens, bad vocabularies. Agreement with sentencepiece is
// test/e2e/test_sentencepiece_oracle.py's part.
#include "MakeTokenizer.h"
#include "llmir/formats/tokenizer/StreamDecoder.h"
#include <gmock/gmock.h>

using namespace llmir;
using testing::HasSubstr;

namespace {

// 0..4 special, the 256 bytes from 5 on, then pieces; scores as sentencepiece gives them: in the
// order of merging.
constexpr int32_t firstByte = 5, firstPiece = firstByte + 256;

TokenizerData smallData() {
  TokenizerData data;
  data.model = "llama";
  data.tokens = {"<unk>", "<s>", "</s>", "<turn>", "  "};
  data.types = {2, 3, 3, 3, 4};
  for (int byte = 0; byte < 256; ++byte) {
    data.tokens.push_back(fmt::format("<0x{:02X}>", byte));
    data.types.push_back(6);
  }
  data.scores.resize(data.tokens.size(), 0);
  float score = 0;
  for (const char *piece : {"ab", "bc", "▁a", "▁ab", "▁", "a", "b", "c", "é"}) {
    data.tokens.emplace_back(piece);
    data.types.push_back(1);
    data.scores.push_back(score -= 1);
  }
  data.bosId = 1;
  data.eosId = 2;
  data.unknownId = 0;
  data.addSpacePrefix = false;
  data.addBos = false;
  return data;
}

/// The id of a piece.
int32_t piece(std::string_view text) {
  TokenizerData data = smallData();
  auto found = std::ranges::find(data.tokens.begin() + firstPiece, data.tokens.end(), text);
  EXPECT_NE(found, data.tokens.end()) << text;
  return int32_t(found - data.tokens.begin());
}

using Ids = std::vector<int32_t>;

TEST(ScoredTokenizer, BestScoreMergesFirst) {
  Tokenizer tokenizer = makeTokenizer(smallData());
  EXPECT_EQ(*tokenizer.encode("abc"), Ids({piece("ab"), piece("c")}));
  EXPECT_EQ(*tokenizer.encode(" ab"), Ids({piece("▁ab")}));
  EXPECT_EQ(*tokenizer.encode("▁ab"), Ids({piece("▁ab")})) << "the mark is a space";
  EXPECT_EQ(*tokenizer.encode("aé"), Ids({piece("a"), piece("é")}));
  EXPECT_EQ(*tokenizer.encode(""), Ids());
  TokenizerData data = smallData();
  std::swap(data.scores[piece("ab")], data.scores[piece("bc")]);
  EXPECT_EQ(*makeTokenizer(data).encode("abc"), Ids({piece("a"), piece("bc")}));
}

TEST(ScoredTokenizer, WhatIsNoTokenBecomesItsBytes) {
  Tokenizer tokenizer = makeTokenizer(smallData());
  EXPECT_EQ(*tokenizer.encode("aü"), Ids({piece("a"), firstByte + 0xC3, firstByte + 0xBC}));
  EXPECT_EQ(*tokenizer.encode("\xC3z\xFF"),
            Ids({firstByte + 0xC3, firstByte + 'z', firstByte + 0xFF}));
  EXPECT_EQ(*tokenizer.encode("<0x41>"), Ids({firstByte + '<', firstByte + '0', firstByte + 'x',
                                              firstByte + '4', firstByte + '1', firstByte + '>'}))
      << "byte tokens can not be spelled";
  EXPECT_EQ(tokenizer.decode(*tokenizer.encode("aü\xC3 \n")), "aü\xC3 \n");
}

TEST(ScoredTokenizer, WithoutByteTokensARunIsOneUnknown) {
  TokenizerData data = smallData();
  for (int32_t id = firstByte; id < firstPiece; ++id)
    data.types[id] = 5;
  EXPECT_EQ(*makeTokenizer(data).encode("axyza"), Ids({piece("a"), 0, piece("a")}));
  data.unknownId.reset(); // found by its type
  EXPECT_EQ(*makeTokenizer(data).encode("x"), Ids({0}));
}

TEST(ScoredTokenizer, UnusedTokensComeApartAgain) {
  TokenizerData data = smallData();
  data.types[piece("ab")] = 5;
  EXPECT_EQ(*makeTokenizer(data).encode("ab"), Ids({piece("a"), piece("b")}));
  EXPECT_EQ(*makeTokenizer(data).encode(" ab"), Ids({piece("▁ab")})) << "but lead to others";
}

TEST(ScoredTokenizer, SpecialTokensAndSpaces) {
  TokenizerData data = smallData();
  EXPECT_EQ(*makeTokenizer(data).encode("a<turn>b", {.parseSpecial = true}),
            Ids({piece("a"), 3, piece("b")}));
  EXPECT_THAT(*makeTokenizer(data).encode("<turn>"), testing::Not(testing::Contains(3)));
  EXPECT_EQ(*makeTokenizer(data).encode("a  b"), Ids({piece("a"), 4, piece("b")}));
  data.addSpacePrefix.reset(); // as sentencepiece does unless told otherwise
  data.addBos.reset();
  EXPECT_EQ(*makeTokenizer(data).encode("ab"), Ids({1, piece("▁ab")}));
  EXPECT_EQ(*makeTokenizer(data).encode(" ab"), Ids({1, 4, piece("ab")})) << "one more space";
  EXPECT_EQ(*makeTokenizer(data).encode("<turn>ab", {.addBos = false, .parseSpecial = true}),
            Ids({3, piece("▁ab")}));
}

TEST(ScoredTokenizer, ATagOfHtmlEndsNothing) {
  TokenizerData data = smallData();
  data.tokens[2] = "<eos>";
  data.tokens[4] = "</s>"; // user-defined, as in Gemma
  EXPECT_THAT(makeTokenizer(data).endOfGeneration(), testing::ElementsAre(2));
  data.types[4] = 3;
  EXPECT_THAT(makeTokenizer(data).endOfGeneration(), testing::ElementsAre(2, 4));
}

TEST(ScoredTokenizer, StreamJoinsBytesToCharacters) {
  Tokenizer tokenizer = makeTokenizer(smallData());
  StreamDecoder stream(tokenizer);
  EXPECT_EQ(stream.push(piece("▁ab")), " ab");
  EXPECT_EQ(stream.push(firstByte + 0xE2) + stream.push(firstByte + 0x82), "");
  EXPECT_EQ(stream.push(firstByte + 0xAC), "€");
  EXPECT_EQ(stream.push(firstByte + 0xE2), "");
  EXPECT_EQ(stream.flush(), "\xE2");
}

TEST(ScoredTokenizer, RefusesBadVocabulariesByName) {
  TokenizerData data = smallData();
  data.scores.pop_back();
  EXPECT_THAT(refusal(data), HasSubstr("tokenizer.ggml.scores has 269 entries"));
  data = smallData();
  data.scores[7] = NAN;
  EXPECT_THAT(refusal(data), HasSubstr("scores[7] is no number"));
  data = smallData();
  data.tokens[6] = "<0x1>";
  EXPECT_THAT(refusal(data), HasSubstr("tokens[6] is a byte token"));
}

} // namespace
