// What is said of a bad tokenizer.json: the place in it, the value, and what is possible.
#include "TokenizerJsonDocuments.h"
#include <gmock/gmock.h>

using namespace llmir;
using nlohmann::json;
using testing::HasSubstr;

namespace {

TEST(TokenizerJsonRefusal, RefusesWhatIsNoDocument) {
  EXPECT_EQ(refusalOf("{\"a\": \xFF}"), "tokenizer.json: is no JSON at byte 7");
  EXPECT_EQ(refusalOf(""), "tokenizer.json: is no JSON at byte 1");
  EXPECT_EQ(refusalOf("[1e999]"), "tokenizer.json: is no JSON: a number is out of range");
  EXPECT_EQ(refusalOf("[]"), "tokenizer.json is an array, an object is needed");
  EXPECT_EQ(refusalOf("{}"), "tokenizer.json: model is missing: an object is needed");
  EXPECT_EQ(refusalOf(R"({"model": {"vocab": {}}})"),
            "tokenizer.json: model.type is missing, which is not supported; known: BPE");
  EXPECT_EQ(refusalOf(R"({"a": {"x": 1, "x": 2}})"),
            "tokenizer.json: the key 'x' stands twice in an object");
  EXPECT_EQ(refusalOf(std::string(100, '[')), "tokenizer.json: is nested more than 64 levels deep");
  std::string many = "[0";
  for (int i = 0; i < 4'000'000; ++i)
    many += ",0";
  EXPECT_EQ(refusalOf(many), "tokenizer.json: has more than 4000000 values");
  const size_t size = (size_t(256) << 20) + 1; // of memory that nothing looks at
  const std::unique_ptr<char[]> untouched(new char[size]);
  EXPECT_EQ(refusalOf({untouched.get(), size}),
            "tokenizer.json: has 268435457 bytes, at most 268435456 are allowed");
}

struct Case {
  const char *document, *pointer, *value, *error;
};

class RefusesTokenizerJson : public testing::TestWithParam<Case> {};

TEST_P(RefusesTokenizerJson, ByPlaceAndValue) {
  const Case &example = GetParam();
  EXPECT_EQ(refusalOf(changed(example.document, example.pointer, json::parse(example.value))),
            std::string("tokenizer.json: ") + example.error);
}

const Case cases[] = {
    // The model
    {byteLevel, "/model", "3", "model is 3, an object is needed"},
    {byteLevel, "/model/type", R"("Unigram\n")",
     "model.type is 'Unigram?', which is not supported; known: BPE"},
    {byteLevel, "/model/type", "[]", "model.type is an array, a string is needed"},
    {byteLevel, "/model/dropout", "0.5",
     "model.dropout is 0.5, only null is supported: dropout is for training"},
    {byteLevel, "/model/end_of_word_suffix", R"("</w>")",
     "model.end_of_word_suffix is '</w>', only an empty one is supported"},
    {byteLevel, "/model/continuing_subword_prefix", "{}",
     "model.continuing_subword_prefix is an object, a string is needed"},
    {byteLevel, "/model/ignore_merges", "1", "model.ignore_merges is 1, true or false is needed"},
    {byteLevel, "/model/unk_token", R"("<unk>")",
     "model.unk_token is '<unk>', which model.vocab has not"},
    {byteLevel, "/model/byte_fallback", "true",
     "model.byte_fallback is true, which is not supported for a ByteLevel vocabulary with 4 of the "
     "256 bytes"},
    {byteLevel, "/model/vocab", "null", "model.vocab is missing: an object is needed"},
    {byteLevel, "/model/vocab", "[1]", "model.vocab is an array, an object is needed"},
    {byteLevel, "/model/vocab", "{}", "model.vocab is empty: the file has no vocabulary"},
    {byteLevel, "/model/vocab/a", "-1",
     "model.vocab['a'] is -1, ids are whole numbers from 0 to 1048575"},
    {byteLevel, "/model/vocab/a", "1048576",
     "model.vocab['a'] is 1048576, ids are whole numbers from 0 to 1048575"},
    {byteLevel, "/model/vocab/a", "1.5",
     "model.vocab['a'] is 1.5, ids are whole numbers from 0 to 1048575"},
    {byteLevel, "/model/vocab/a", R"("0")",
     "model.vocab['a'] is '0', ids are whole numbers from 0 to 1048575"},
    {byteLevel, "/model/vocab/b", "0", "model.vocab['b'] has the id 0, which 'a' has too"},
    {byteLevel, "/model/merges", "null", "model.merges is missing, an array is needed"},
    {byteLevel, "/model/merges", R"("a b")", "model.merges is 'a b', an array is needed"},
    {byteLevel, "/model/merges/1", "7",
     R"(model.merges[1] is 7, two tokens are needed, as "a b" or ["a", "b"])"},
    {byteLevel, "/model/merges/1", R"("ab")",
     R"(model.merges[1] is 'ab', two tokens are needed, as "a b" or ["a", "b"])"},
    {byteLevel, "/model/merges/2", R"(["a", "b", "c"])",
     R"(model.merges[2] is an array, two tokens are needed, as "a b" or ["a", "b"])"},
    {byteLevel, "/model/merges/1", R"("a c")",
     "model.merges[1] joins 'a' and 'c', but model.vocab has no 'ac'"},
    {byteLevel, "/model/merges/1", R"(["x", "c"])",
     "model.merges[1] joins 'x' and 'c', but model.vocab has no 'x'"},
    // Added tokens
    {byteLevel, "/added_tokens", "{}", "added_tokens is an object, an array is needed"},
    {byteLevel, "/added_tokens/0", "6", "added_tokens[0] is 6, an object is needed"},
    {byteLevel, "/added_tokens/0/id", "null",
     "added_tokens[0].id is null, ids are whole numbers from 0 to 1048575"},
    {byteLevel, "/added_tokens/0/id", "2", "added_tokens[0].id is 2, which 'c' has too"},
    {byteLevel, "/added_tokens/2/id", "8",
     "added_tokens[2].id is 8, but model.vocab gives 'ab' the id 3"},
    {byteLevel, "/added_tokens/1/content", R"("<s>")",
     "added_tokens[1].content is '<s>', which another added token is too"},
    {byteLevel, "/added_tokens/1/content", "null",
     "added_tokens[1].content is missing: a string is needed"},
    {byteLevel, "/added_tokens/1/rstrip", "0",
     "added_tokens[1].rstrip is 0, true or false is needed"},
    // Normalizers
    {byteLevel, "/normalizer", "4", "normalizer is 4, an object is needed"},
    {byteLevel, "/normalizer", "{}", "normalizer.type is missing: a string is needed"},
    {byteLevel, "/normalizer/type", R"("Lowercase")",
     "normalizer.type is 'Lowercase', which is not supported; known: NFC, NFD, NFKC, NFKD, "
     "Prepend, Replace"},
    {byteLevel, "/normalizer", R"({"type": "Sequence", "normalizers": [{"type": "Prepend"}]})",
     "normalizer.normalizers[0].prepend is missing: a string is needed"},
    {byteLevel, "/normalizer", R"({"type": "Replace", "pattern": {"Regex": "a"}, "content": "b"})",
     "normalizer.pattern.String is missing: a string is needed"},
    {byteLevel, "/normalizer", R"({"type": "Replace", "pattern": {"String": ""}, "content": "b"})",
     "normalizer.pattern.String is empty, a text to replace is needed"},
    {byteLevel, "/normalizer",
     R"({"type": "Prepend", "prepend": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})",
     "normalizer.prepend has 65 bytes, at most 64 are allowed"},
    // Pre-tokenizers
    {byteLevel, "/pre_tokenizer", R"({"type": "Whitespace"})",
     "pre_tokenizer.type is 'Whitespace', which is not supported; known: ByteLevel, Split, Digits, "
     "Punctuation, Metaspace"},
    {byteLevel, "/pre_tokenizer/pretokenizers", "1",
     "pre_tokenizer.pretokenizers is 1, an array is needed"},
    {byteLevel, "/pre_tokenizer/pretokenizers/2", R"({"type": "Digits"})",
     "pre_tokenizer.pretokenizers[2] stands behind ByteLevel, which is not supported"},
    {byteLevel, "/pre_tokenizer/pretokenizers/0/behavior", R"("Sideways")",
     "pre_tokenizer.pretokenizers[0].behavior is 'Sideways', which is not supported; known: "
     "Isolated, Removed, "
     "Contiguous, MergedWithPrevious, MergedWithNext"},
    {byteLevel, "/pre_tokenizer/pretokenizers/0/pattern/Regex", R"("")",
     "pre_tokenizer.pretokenizers[0].pattern has 0 bytes, 1 to 65536 are allowed"},
    {byteLevel, "/pre_tokenizer/pretokenizers/0/pattern/Regex", R"("(\na")",
     "pre_tokenizer.pretokenizers[0]: ICU refuses the pattern (?a (U_REGEX_MISMATCHED_PAREN)"},
    {byteLevel, "/pre_tokenizer/pretokenizers/0/pattern/Regex", R"("(?mi:a)b")",
     "pre_tokenizer.pretokenizers[0]: the pattern (?mi:a)b: the option m is not supported"},
    {byteLevel, "/pre_tokenizer/pretokenizers/0/pattern/Regex", R"("a{1,3}+")",
     "pre_tokenizer.pretokenizers[0]: the pattern a{1,3}+: a repetition {m,n}+ of a repetition is "
     "not supported"},
    {byteLevel, "/pre_tokenizer/pretokenizers/0/pattern/Regex", R"("a{,3}")",
     "pre_tokenizer.pretokenizers[0]: the pattern a{,3}: a repetition {,n} without a lower limit "
     "is not "
     "supported"},
    {byteLevel, "/pre_tokenizer/pretokenizers/0/pattern/Regex", R"("\\Qa\\E")",
     "pre_tokenizer.pretokenizers[0]: the pattern \\Qa\\E: \\Q is not supported"},
    {byteLevel, "/pre_tokenizer/pretokenizers/0/pattern/Regex", R"("(.*)\\1")",
     "pre_tokenizer.pretokenizers[0]: the pattern (.*)\\1: \\1 is not supported"},
    {byteLevel, "/pre_tokenizer/pretokenizers/1/use_regex", "3",
     "pre_tokenizer.pretokenizers[1].use_regex is 3, true or false is needed"},
    {pieces, "/pre_tokenizer/prepend_scheme", R"("last")",
     "pre_tokenizer.prepend_scheme is 'last', which is not supported; known: always, first, never"},
    {pieces, "/pre_tokenizer/replacement", R"("")",
     "pre_tokenizer.replacement is empty, a character is needed"},
    {pieces, "/pre_tokenizer", R"({"type": "Punctuation", "behavior": 1})",
     "pre_tokenizer.behavior is 1, a string is needed"},
    {pieces, "/pre_tokenizer", R"({"type": "Digits", "individual_digits": 1})",
     "pre_tokenizer.individual_digits is 1, true or false is needed"},
    // Decoders
    {pieces, "/decoder", "null", "decoder is missing: an object is needed"},
    {pieces, "/decoder", R"({"type": "ByteLevel"})",
     "decoder is ByteLevel, but the pre-tokenizer is not: both must be or none"},
    {byteLevel, "/decoder/type", R"("Fuse")",
     "decoder is not ByteLevel, but the pre-tokenizer is ByteLevel: both must be or none"},
    {pieces, "/decoder/decoders/0/type", R"("WordPiece")",
     "decoder.decoders[0] is of the type 'WordPiece', which is not supported; known: ByteLevel, or "
     "Replace, "
     "Metaspace, ByteFallback, Fuse, Strip"},
    {pieces, "/decoder/decoders/0/content", R"("_")",
     "decoder.decoders[0] replaces something else than ▁ by a space, which is not supported"},
    {pieces, "/decoder", R"({"type": "Metaspace", "replacement": "_"})",
     "decoder.replacement is '_', only '▁' is supported"},
    {pieces, "/decoder/decoders/3/start", "2",
     "decoder.decoders[3] strips something else than one space at the start, which is not "
     "supported"},
    {pieces, "/decoder/decoders/2/type", R"("ByteFallback")",
     "decoder.decoders[2] stands at another place than in Replace, ByteFallback, Fuse, Strip, "
     "which is not supported"},
    {pieces, "/decoder", R"({"type": "Fuse"})",
     "decoder leaves ▁ as it is, which is not supported"},
    // Post-processors
    {byteLevel, "/post_processor/type", R"("BertProcessing")",
     "post_processor is of the type 'BertProcessing', which is not supported; known: ByteLevel and "
     "one "
     "TemplateProcessing"},
    {byteLevel, "/post_processor/single/0/SpecialToken/id", R"("<t>")",
     "post_processor.special_tokens.<t> is missing: an object is needed"},
    {byteLevel, "/post_processor/special_tokens/<s>/ids", "[6, 6]",
     "post_processor.special_tokens.<s>.ids has 2 elements, only one is supported"},
    {byteLevel, "/post_processor/special_tokens/<s>/ids/0", "10",
     "post_processor.special_tokens.<s>.ids[0] is 10, the vocabulary has the ids 0 to 9"},
    {byteLevel, "/post_processor/single/1", R"({"SpecialToken": {"id": "<s>"}})",
     "post_processor.single[1] is a second token on one side of the text, which is not supported"},
    {byteLevel, "/post_processor/single/1/Sequence/id", R"("B")",
     "post_processor.single[1] is a second text, which is not supported"},
    {byteLevel, "/post_processor/single", "[]",
     "post_processor.single has no Sequence: where the text stands is missing"},
};

INSTANTIATE_TEST_SUITE_P(Cases, RefusesTokenizerJson, testing::ValuesIn(cases));

TEST(TokenizerJsonRefusal, RefusesTooMuch) {
  json document = json::parse(byteLevel);
  json steps = json::array();
  for (int i = 0; i < 66; ++i)
    steps.push_back({{"type", "NFC"}});
  document["normalizer"] = {{"type", "Sequence"}, {"normalizers", steps}};
  EXPECT_THAT(refusalOf(document.dump()),
              HasSubstr("normalizers[64]: more than 64 steps are not supported"));
  for (json &step : steps)
    step = {{"type", "Digits"}};
  EXPECT_THAT(refusalOf(changed(byteLevel, "/pre_tokenizer/pretokenizers", steps)),
              HasSubstr("pretokenizers[64]: more than 64 steps are not supported"));
  document = json::parse(byteLevel);
  document["added_tokens"][0]["content"] = std::string((4 << 20) + 1, 'x');
  EXPECT_EQ(refusalOf(document.dump()),
            "tokenizer.json: added_tokens have over 4194304 bytes together, which are allowed");
  document["added_tokens"] = std::vector<int>(1'000'001);
  EXPECT_EQ(refusalOf(document.dump()),
            "tokenizer.json: added_tokens has 1000001 elements, at most 1000000 are allowed");
}

TEST(TokenizerJsonRefusal, TextsThatGrowWithoutEndAreRefused) {
  json replace = {
      {"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", std::string(64, 'a')}};
  json document = json::parse(pieces);
  document["normalizer"] = {{"type", "Sequence"}, {"normalizers", json(8, replace)}};
  const auto ids = make(document.dump()).encode("aa");
  ASSERT_FALSE(ids);
  EXPECT_EQ(ids.error().message, "text of 2 bytes has more than 4160 when normalized");
  document = json::parse(pieces);
  json metaspace = {{"type", "Metaspace"}, {"replacement", std::string(60, ' ')}};
  document["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", json(8, metaspace)}};
  const auto others = make(document.dump()).encode("  ");
  ASSERT_FALSE(others);
  EXPECT_EQ(others.error().message, "text has more than 4160 bytes when pre-tokenized");
}

TEST(TokenizerJsonRefusal, AddedTokensThatGrow) {
  const json replace = {
      {"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", std::string(64, 'a')}};
  json document = json::parse(byteLevel);
  document["added_tokens"] = {{{"id", 6}, {"content", "<s>"}, {"special", true}},
                              {{"id", 7}, {"content", "aa"}, {"normalized", true}}};
  document["normalizer"] = {{"type", "Sequence"}, {"normalizers", json(8, replace)}};
  EXPECT_EQ(refusalOf(document.dump()), "tokenizer.json: added_tokens: text of 2 bytes has more "
                                        "than 4160 when normalized");
  document["normalizer"] = replace;
  document["added_tokens"][1]["content"] = std::string(100'000, 'a');
  EXPECT_THAT(refusalOf(document.dump()), HasSubstr("100000 bytes has more than 3204096"));
  document["added_tokens"][1]["content"] = std::string(140'000, 'a');
  document["normalizer"]["content"] = std::string(31, 'a');
  EXPECT_EQ(refusalOf(document.dump()), "tokenizer.json: added_tokens have over 4194304 bytes "
                                        "together when normalized, which are allowed");
}

} // namespace
