// Two small tokenizer.json documents that tests change, and what is made or said of them.
#pragma once

#include "MakeTokenizer.h"
#include "llmir/formats/tokenizer/TokenizerJson.h"

namespace llmir {

inline const char *const byteLevel = R"({
  "added_tokens": [{"id": 6, "content": "<s>", "special": true},
                   {"id": 7, "content": "ab!", "rstrip": true},
                   {"id": 3, "content": "ab", "single_word": true}],
  "normalizer": {"type": "NFC"},
  "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
    {"type": "Split", "pattern": {"Regex": "[a-c]+"}, "behavior": "Isolated", "invert": false},
    {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]},
  "post_processor": {"type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
    "special_tokens": {"<s>": {"id": "<s>", "ids": [6], "tokens": ["<s>"]}}},
  "decoder": {"type": "ByteLevel"},
  "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "ab": 3, "Ġ": 4, "abc": 9},
            "merges": ["#version: 0.2", "a b", ["ab", "c"]]}
})";

inline const char *const pieces = R"({
  "added_tokens": [{"id": 0, "content": "<unk>", "special": true}],
  "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": false},
  "decoder": {"type": "Sequence", "decoders": [
    {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
    {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
  "model": {"type": "BPE", "unk_token": "<unk>", "byte_fallback": true, "fuse_unk": true,
            "vocab": {"<unk>": 0, "▁": 1, "a": 2, "▁a": 3, "<0xC3>": 4, "<0xA9>": 5, " b": 6, "b": 7, " ": 8},
            "merges": [["▁", "a"], [" ", "b"]]}
})";

inline Expected<Tokenizer> readTokenizer(std::string_view text) {
  Expected<TokenizerData> data = readTokenizerJson(text);
  return data ? Tokenizer::create(std::move(*data)) : forward(data);
}

inline Tokenizer make(std::string_view text) {
  Expected<Tokenizer> tokenizer = readTokenizer(text);
  EXPECT_TRUE(tokenizer) << tokenizer.error().message;
  return std::move(*tokenizer);
}

/// The error, which must be one line; "accepted" if there is none.
inline std::string refusalOf(std::string_view text) {
  Expected<Tokenizer> tokenizer = readTokenizer(text);
  if (tokenizer)
    return "accepted";
  EXPECT_EQ(tokenizer.error().message.find('\n'), std::string::npos);
  return tokenizer.error().message;
}

/// The document with one value changed, as a JSON pointer names it.
inline std::string changed(const char *document, const char *pointer, const nlohmann::json &value) {
  auto copy = nlohmann::json::parse(document);
  copy[nlohmann::json::json_pointer(pointer)] = value;
  return copy.dump();
}

} // namespace llmir
