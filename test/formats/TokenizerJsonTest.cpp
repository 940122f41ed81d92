// tokenizer.json on documents small enough to follow by hand. Agreement with Hugging Face's
// tokenizers is test/e2e/test_tokenizer_json.py's part.
#include "TokenizerJsonDocuments.h"
#include "llmir/formats/tokenizer/OnigurumaPattern.h"
#include <gmock/gmock.h>

using namespace llmir;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

using Ids = std::vector<int32_t>;

TEST(TokenizerJson, ByteLevel) {
  Tokenizer tokenizer = make(byteLevel);
  EXPECT_EQ(tokenizer.vocabSize(), 10);
  EXPECT_EQ(*tokenizer.encode("abc c"), Ids({6, 9, 4, 2}));
  EXPECT_EQ(*tokenizer.encode("<s>c", {.addBos = false, .parseSpecial = true}), Ids({6, 2}));
  EXPECT_EQ(*tokenizer.encode("a<s>", {.addBos = false}), Ids({0})) << "the rest has no tokens";
  EXPECT_EQ(*tokenizer.encode("ab! \n c", {.addBos = false}), Ids({7, 2}));
  EXPECT_EQ(*tokenizer.encode("ab b ab", {.addBos = false}), Ids({3, 4, 1, 4, 3}));
  EXPECT_EQ(tokenizer.decode(Ids{6, 9, 4, 5, 8, 3}), "<s>abc ab") << "5 and 8 are unused";
  EXPECT_TRUE(tokenizer.isSpecial(6) && !tokenizer.isSpecial(7));
}

TEST(TokenizerJson, Characters) {
  Tokenizer tokenizer = make(pieces);
  EXPECT_EQ(*tokenizer.encode("a a"), Ids({3, 3}));
  EXPECT_EQ(*tokenizer.encode("é"), Ids({1, 4, 5}));
  EXPECT_EQ(*tokenizer.encode("xya"), Ids({1, 0, 2})) << "a run of unknown ones";
  EXPECT_EQ(tokenizer.decode(Ids{3, 4, 5, 7}), " aéb") << "the first space stays";
  EXPECT_FALSE(tokenizer.addsBos());
}

TEST(TokenizerJson, TheLaterOfTwoEqualMergesCounts) {
  const std::string text =
      changed(byteLevel, "/model/merges", json::parse(R"(["a b", "ab c", "b c", "a b"])"));
  EXPECT_THAT(refusalOf(text), HasSubstr("has no 'bc'"));
  json document = json::parse(text);
  document["model"]["vocab"]["bc"] = 5;
  EXPECT_EQ(*make(document.dump()).encode("abc", {.addBos = false}), Ids({0, 5}));
}

TEST(TokenizerJson, AControlTokenNeverComesOutOfMerges) {
  json document = json::parse(byteLevel);
  document["added_tokens"][2] = {{"id", 3}, {"content", "ab"}, {"special", true}};
  EXPECT_EQ(*make(document.dump()).encode("abc", {.addBos = false}), Ids({0, 1, 2}));
  document["model"]["ignore_merges"] = true;
  EXPECT_EQ(*make(document.dump()).encode("ab", {.addBos = false}), Ids({0, 1}));
}

TEST(TokenizerJson, AnUnknownTokenThatEndsAGenerationIsNotPutIn) {
  json document = json::parse(pieces);
  document["added_tokens"][0]["content"] = "<|endoftext|>";
  document["model"]["vocab"].erase("<unk>");
  document["model"]["vocab"]["<|endoftext|>"] = 0;
  document["model"]["unk_token"] = "<|endoftext|>";
  document["model"]["merges"] = json::array();
  Tokenizer tokenizer = make(document.dump());
  EXPECT_EQ(*tokenizer.encode("xa"), Ids({1, 2}));
  EXPECT_THAT(tokenizer.endOfGeneration(), ElementsAre(0));
}

TEST(OnigurumaPattern, BecomesIcus) {
  EXPECT_EQ(*toIcuPattern("\\s+|[^\\s]|\\\\s"), "[\\s]+|[^\\s]|\\\\s");
  EXPECT_EQ(*toIcuPattern("\\h[\\h]\\v"), "[0-9a-fA-F][0-9a-fA-F]\\u000B");
  EXPECT_EQ(*toIcuPattern("a{2}{}{x\\p{L}\\x{61}[{}]"), "a{2}\\{\\}\\{x\\p{L}\\x{61}[{}]");
  EXPECT_EQ(*toIcuPattern("(?i:x)(?=y)\\"), "(?i:x)(?=y)\\");
}

} // namespace
