// What a tokenizer is made of, as plain data: the tokenizer itself knows no file
// format, so that GGUF metadata and tokenizer.json can both fill this.
#pragma once

#include "llmir/formats/tokenizer/SpecialTokens.h"
#include "llmir/formats/tokenizer/TextSteps.h"
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

/// A token that stands in text as it is written.
struct AddedToken {
  int32_t id;
  std::string text;
  bool isControl;
  bool isNormalized; // looked for in the normalized text, itself normalized; else in the given one
  TokenSurroundings surroundings;
};

/// Of all added tokens together; more would only fill the memory.
constexpr size_t maxAddedBytes = size_t(4) << 20;

struct MergeRule {
  int32_t left, right, merged; // ids
};

/// Byte pair encoding as tokenizer.json spells it out; in GGUF the names of model and pre-tokenizer
/// imply it. Who fills this has checked all of it but the patterns
/// and what the normalizer makes of added tokens.
struct BpePipeline {
  bool isByteLevel = true;      // merges begin with bytes; else with characters
  bool ignoreMerges = false;    // a piece that is a token as a whole is never merged from parts
  bool hasByteFallback = false; // a character without a token becomes those of its bytes, <0x0A>
  bool fusesUnknown = false;    // a run of unknown characters becomes one token
  std::vector<NormalizerStep> normalizer;
  std::vector<PreTokenizerStep> preTokenizer;
  std::vector<AddedToken> added;
  std::vector<bool> isPiece;     // by id: whether text may become the token by merging
  std::vector<MergeRule> merges; // best first
};

struct TokenizerData {
  /// Instead of model, pre, merges and scores. Token texts are those of its vocabulary then.
  std::optional<BpePipeline> pipeline;
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
