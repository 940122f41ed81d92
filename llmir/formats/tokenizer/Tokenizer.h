// Text to token ids and back: byte-level byte pair encoding as GPT-2, Llama 3, Qwen, SmolLM and
// most others use it (tokenizer.ggml.model = "gpt2"), sentencepiece's BPE of Gemma, Llama 2 and
// Mistral ("llama"), and the BPE pipelines of Hugging Face's tokenizer.json. Immutable once made:
// all threads may share one.
#pragma once

#include "llmir/formats/tokenizer/BytePairMerger.h"
#include "llmir/formats/tokenizer/Normalizer.h"
#include "llmir/formats/tokenizer/PreTokenizer.h"
#include "llmir/formats/tokenizer/ScoreMerger.h"
#include "llmir/formats/tokenizer/SpecialTokens.h"
#include "llmir/formats/tokenizer/TokenizerData.h"
#include "llmir/support/Error.h"
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace llmir {

struct EncodeOptions {
  /// Put the begin and end tokens that the vocabulary asks for around the text. Off for text from a
  /// chat template.
  bool addBos = true;
  /// Read control tokens written in the text, such as <|im_start|>. Off, they are plain text and
  /// can not be forged; user-defined tokens, which only abbreviate text, are read in any case.
  bool parseSpecial = false;
};

struct DecodeOptions {
  bool skipSpecial = false; // leave control tokens out
};

class Tokenizer {
public:
  /// Errors name the field and the value: another tokenizer model, an unknown pre-tokenizer, ids
  /// outside the vocabulary, token types that do not fit, duplicate tokens, merges of another form,
  /// patterns that ICU refuses.
  /// A merge whose parts or whose result are not in the vocabulary is ignored: real files have
  /// some.
  static Expected<Tokenizer> create(TokenizerData data);

  /// Any bytes may come in; what is no UTF-8 is encoded byte by byte. A byte for which the
  /// vocabulary has no token becomes the unknown token, or nothing where there is none, as in
  /// Hugging Face's tokenizers. Of a llama vocabulary, ▁ in a text is a space. Errors: text over
  /// 512 MiB, or that the steps of a tokenizer.json make far longer, or a pattern backtracks on
  /// without end.
  Expected<std::vector<int32_t>> encode(std::string_view text, EncodeOptions options = {}) const;

  /// The exact bytes of the tokens, one after the other; ids outside the vocabulary give nothing.
  std::string decode(std::span<const int32_t> ids, DecodeOptions options = {}) const;

  /// The bytes of one token; may be a part of a UTF-8 sequence. Empty for ids outside the
  /// vocabulary.
  std::string_view tokenBytes(int32_t id) const;

  int32_t vocabSize() const { return int32_t(bytes.size()); }
  std::optional<int32_t> bosId() const { return bos; }
  std::optional<int32_t> eosId() const { return eos; }
  bool addsBos() const { return addBos; }
  bool addsEos() const { return addEos; }

  /// Tokens that end a generation: end of text, of turn, of message; sorted.
  std::span<const int32_t> endOfGeneration() const { return ends; }
  bool isEndOfGeneration(int32_t id) const;

  /// Control and unknown tokens: never part of the text that a user sees.
  bool isSpecial(int32_t id) const;

private:
  Status readNames(TokenizerData &data);
  Status makePreTokenizer(std::vector<PreTokenizerStep> steps);
  Status readTokens(TokenizerData &data);
  Status indexBytePairs(const TokenizerData &data);
  Status indexPipeline(TokenizerData &data);
  Status indexScored(TokenizerData &data);
  Status readMerges(const TokenizerData &data);
  Status readIds(const TokenizerData &data);
  Status encodeBytePairs(std::string_view text, EncodeOptions options,
                         std::vector<int32_t> &output) const;
  Status encodeSection(std::string_view section, bool isAtStart, BytePairMerger &merger,
                       std::vector<int32_t> &output) const;
  void appendSymbols(std::string_view piece, std::vector<int32_t> &ids) const;
  Status encodeScored(std::string_view text, EncodeOptions options,
                      std::vector<int32_t> &output) const;

  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  bool isScored = false;               // a llama vocabulary
  std::vector<std::string> bytes;      // by id
  std::vector<TokenType> types;        // by id
  std::array<int32_t, 256> idOfByte{}; // -1: no token
  SpecialTokens specialTokens;
  Normalizer normalizer; // BPE only, as all down to the merges
  SpecialTokens normalizedTokens;
  PreTokenizer preTokenizer;
  bool isByteLevel = true, ignoreMerges = false, fusesUnknown = false;
  std::unordered_map<std::string, int32_t, TextHash, std::equal_to<>> idOfPiece;
  MergeTable merges;
  TokenIndex tokenIndex; // llama only, as the four below
  std::vector<float> scores;
  size_t longestToken = 0;
  bool hasUnused = false, addSpacePrefix = false;
  std::optional<int32_t> bos, eos;
  int32_t unknown = -1;
  std::vector<int32_t> ends;
  bool addBos = false, addEos = false;
};

} // namespace llmir
