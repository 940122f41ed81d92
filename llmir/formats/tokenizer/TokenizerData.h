// What a byte-level BPE tokenizer is made of, as plain data: the tokenizer itself knows no file
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
  std::string model = "gpt2";  // "gpt2" is byte-level BPE, the only one supported
  std::string pre = "default"; // name of the pre-tokenizer
  /// Token texts by id: normal ones in GPT-2's printable byte alphabet, control and user-defined
  /// ones as they are.
  std::vector<std::string> tokens;
  std::vector<int32_t> types;      // TokenType by id; empty: all normal
  std::vector<std::string> merges; // "left right", best first
  std::optional<int64_t> bosId, eosId, eotId, eomId, unknownId, paddingId;
  std::optional<bool> addBos, addEos; // absent: as the pre-tokenizer's models do
  bool addSpacePrefix = false;
};

} // namespace llmir
