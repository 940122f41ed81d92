// Byte-level BPE on a vocabulary small enough to follow by hand: merging, special tokens, odd
// bytes, bad vocabularies. Agreement with Hugging Face's tokenizers is
// test/e2e/test_tokenizer_oracle.py's part.
#include "MakeTokenizer.h"
#include "llmir/formats/tokenizer/StreamDecoder.h"
#include <gmock/gmock.h>

using namespace llmir;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

// 0..3 special, then single characters, then merged ones.
TokenizerData smallData() {
  TokenizerData data;
  data.pre = "gpt-2";
  data.tokens = {
      "<s>", "<|im_end|>", "<|im_end|>x", "  ", // 0..3
      "a",   "b",          "c",           "Ġ",  // 4..7
      "ab",  "bc",         "abc",         "Ġa", // 8..11
      "Ã",   "©",          "Ã©",          "ð"}; // 12..15: the bytes C3, A9; é; the byte F0
  data.types = {3, 3, 3, 4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  data.merges = {"b c", "a b", "a bc", "Ġ a", "Ã ©", "ab zz"};
  data.bosId = 0;
  data.eosId = 1;
  return data;
}

using Ids = std::vector<int32_t>;

TEST(Tokenizer, MergesByRankThenFromTheLeft) {
  Tokenizer tokenizer = makeTokenizer(smallData());
  EXPECT_EQ(*tokenizer.encode("abc"), Ids({10})); // b c first, then a bc
  EXPECT_EQ(*tokenizer.encode("abab"), Ids({8, 8}));
  EXPECT_EQ(*tokenizer.encode("ab a"), Ids({8, 11}));
  EXPECT_EQ(*tokenizer.encode("é"), Ids({14}));
  EXPECT_EQ(*tokenizer.encode(""), Ids());
}

TEST(Tokenizer, ControlTokensOnlyWhenAskedLongestFirst) {
  Tokenizer tokenizer = makeTokenizer(smallData());
  EXPECT_EQ(*tokenizer.encode("a<|im_end|>xb", {.parseSpecial = true}), Ids({4, 2, 5}));
  EXPECT_EQ(*tokenizer.encode("<|im_end|><|im_end", {.parseSpecial = true}), Ids({1}));
  EXPECT_THAT(*tokenizer.encode("a<|im_end|>b"), testing::Not(testing::Contains(1)));
  EXPECT_EQ(*tokenizer.encode("a  b"), Ids({4, 3, 5})) << "user-defined tokens are always read";
}

TEST(Tokenizer, ControlTokensNeverComeOutOfMerges) {
  TokenizerData data = smallData();
  data.types[10] = 3;
  EXPECT_EQ(*makeTokenizer(data).encode("abc"), Ids({4, 9}));
}

TEST(Tokenizer, BeginAndEndAsTheVocabularyAsks) {
  TokenizerData data = smallData();
  EXPECT_EQ(*makeTokenizer(data).encode("a"), Ids({4}));
  data.addBos = data.addEos = true;
  EXPECT_EQ(*makeTokenizer(data).encode("a"), Ids({0, 4, 1}));
  EXPECT_EQ(*makeTokenizer(data).encode("a", {.addBos = false}), Ids({4}));
  data.addBos = data.addEos = std::nullopt;
  data.pre = "llama-bpe";
  EXPECT_EQ(*makeTokenizer(data).encode("a"), Ids({0, 4}));
}

TEST(Tokenizer, WholePiecesGoBeforeMergesWhereTheModelSaysSo) {
  TokenizerData data = smallData();
  data.merges.clear();
  data.addBos = false;
  EXPECT_EQ(*makeTokenizer(data).encode("abc"), Ids({4, 5, 6}));
  data.pre = "llama-bpe";
  EXPECT_EQ(*makeTokenizer(data).encode("abc"), Ids({10}));
}

TEST(Tokenizer, SpacePrefix) {
  TokenizerData data = smallData();
  data.addSpacePrefix = true;
  EXPECT_EQ(*makeTokenizer(data).encode("ab"), Ids({7, 8}));
  EXPECT_EQ(*makeTokenizer(data).encode(" ab"), Ids({7, 8}));
}

TEST(Tokenizer, BytesWithoutTokenAreTheUnknownTokenOrNothing) {
  TokenizerData data = smallData();
  EXPECT_EQ(*makeTokenizer(data).encode("azb"), Ids({8}));
  data.tokens.emplace_back("<unk>");
  data.types.push_back(2);
  data.unknownId = 16;
  EXPECT_EQ(*makeTokenizer(data).encode("azb"), Ids({4, 16, 5}));
  data.unknownId = 1; // a control token may not be spelled by stray bytes
  EXPECT_EQ(*makeTokenizer(data).encode("azb"), Ids({8}));
}

TEST(Tokenizer, DecodesExactBytes) {
  Tokenizer tokenizer = makeTokenizer(smallData());
  EXPECT_EQ(tokenizer.decode(Ids{11, 14, 13, 1}), " aé\xA9<|im_end|>");
  EXPECT_EQ(tokenizer.decode(Ids{0, 4, 1, 3}, {.skipSpecial = true}), "a  ");
  EXPECT_EQ(tokenizer.decode(Ids{-1, 99, 4}), "a");
  EXPECT_EQ(*tokenizer.encode("a\xC3"), Ids({4, 12}));
  EXPECT_TRUE(tokenizer.isSpecial(0) && !tokenizer.isSpecial(3) && !tokenizer.isSpecial(-5));
}

TEST(Tokenizer, KnowsWhatEndsAGeneration) {
  TokenizerData data = smallData();
  data.eosId = 4;
  Tokenizer tokenizer = makeTokenizer(data);
  EXPECT_THAT(tokenizer.endOfGeneration(), ElementsAre(1, 4));
  EXPECT_TRUE(tokenizer.isEndOfGeneration(1) && !tokenizer.isEndOfGeneration(0));
}

TEST(Tokenizer, StreamHoldsBackHalfCharacters) {
  Tokenizer tokenizer = makeTokenizer(smallData());
  StreamDecoder stream(tokenizer);
  EXPECT_EQ(stream.push(12), "");
  EXPECT_EQ(stream.push(13), "é");
  EXPECT_EQ(stream.push(12), "");
  EXPECT_EQ(stream.push(4), "\xC3"
                            "a");
  EXPECT_EQ(stream.push(15), "");
  EXPECT_EQ(stream.flush(), "\xF0");
  EXPECT_EQ(stream.flush(), "");
}

TEST(Tokenizer, RefusesBadVocabulariesByName) {
  TokenizerData data = smallData();
  data.model = "t5";
  EXPECT_THAT(refusal(data), testing::AllOf(HasSubstr("tokenizer.ggml.model is 't5'"),
                                            HasSubstr("llama (sentencepiece BPE)")));
  data = smallData();
  data.pre = "no-such";
  EXPECT_THAT(refusal(data), testing::AllOf(HasSubstr("'no-such'"), HasSubstr("smollm")));
  data = smallData();
  data.tokens.clear();
  EXPECT_THAT(refusal(data), HasSubstr("tokens is missing"));
  data = smallData();
  data.types.pop_back();
  EXPECT_THAT(refusal(data), HasSubstr("token_type has 15 entries"));
  data = smallData();
  data.types[4] = 9;
  EXPECT_THAT(refusal(data), HasSubstr("token_type[4] is 9"));
  data = smallData();
  data.tokens[5] = "a";
  EXPECT_THAT(refusal(data), HasSubstr("[4] and [5] are both 'a'"));
  data = smallData();
  data.tokens[1] = "<s>";
  EXPECT_THAT(refusal(data), HasSubstr("[0] and [1] are both '<s>'"));
  data = smallData();
  data.merges[2] = "abc";
  EXPECT_THAT(refusal(data), HasSubstr("merges[2] is 'abc'"));
  data = smallData();
  data.eosId = 16;
  EXPECT_THAT(refusal(data), HasSubstr("eos_token_id is 16, the vocabulary has the ids 0 to 15"));
  data = smallData();
  data.bosId.reset();
  data.addBos = true;
  EXPECT_THAT(refusal(data), HasSubstr("bos_token_id is missing"));
  data = smallData();
  data.tokens[4] = "";
  EXPECT_THAT(refusal(data), HasSubstr("tokens[4] is empty"));
}

TEST(Tokenizer, EveryPreTokenizerCoversAnyBytes) {
  std::string text = "Hi, it's 12345 ½ of\t\xFF\xC3 über!!\r\n\n   你好 ";
  text += std::string("\0\xED\xA0\x80 \xF0\x9F\x98", 8);
  for (const PreTokenizerRow &row : preTokenizerTable()) {
    Expected<PreTokenizer> preTokenizer = PreTokenizer::create(stepsOf(row));
    ASSERT_TRUE(preTokenizer) << preTokenizer.error().message;
    std::vector<size_t> lengths;
    ASSERT_TRUE(preTokenizer->split(text, lengths));
    size_t sum = 0;
    for (size_t length : lengths) {
      EXPECT_GT(length, 0u) << row.name;
      sum += length;
    }
    EXPECT_EQ(sum, text.size()) << row.name;
    lengths.clear();
    std::string spaces(1 << 20, ' ');
    EXPECT_TRUE(preTokenizer->split(spaces, lengths)) << row.name;
  }
}

} // namespace
