// What a tokenizer is made of, as plain data: the tokenizer itself knows no file
// format, so that GGUF metadata and tokenizer.json can both fill this.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace llmir {

/// Roles of tokens; the numbers are GGUF's (tokenizer.ggml.token_type).
enum class TokenType : int32_t {
  Undefined = 0,
  Normal = 1,
  Unknown = 2,
  Control = 3,
  UserDefined = 4,
  Unused = 5,
  Byte = 6,
};

struct TokenizerData {
  /// "gpt2": byte-level BPE by merge rules; "llama": sentencepiece's BPE by scores.
  std::string model = "gpt2";
  std::string pre = "default"; // name of the pre-tokenizer; gpt2 only
  /// Token texts by id: control and user-defined ones as they are, normal ones of gpt2 in its
  /// printable byte alphabet, of llama with ▁ for a space.
  std::vector<std::string> tokens;
  std::vector<int32_t> types;      // TokenType by id; empty: all normal
  std::vector<std::string> merges; // gpt2 only: "left right", best first
  std::vector<float> scores;       // llama only: by id, the highest merges first
  std::optional<int64_t> bosId, eosId, eotId, eomId, unknownId, paddingId;
  std::optional<bool> addBos, addEos; // absent: as the models usually do
  std::optional<bool> addSpacePrefix; // absent: only llama's texts begin with a space
};

} // namespace llmir
