// The merge loop of sentencepiece's BPE: of all neighbours whose texts joined are a token, the pair
// of the best score merges first, the leftmost among equals. Unlike byte pair encoding it knows no
// merge rules, only scores of tokens. Source: arXiv 1808.06226 and its implementation.
#pragma once

#include "llmir/formats/tokenizer/TokenIndex.h"
#include "llmir/formats/tokenizer/TokenizerData.h"
#include <array>
#include <unordered_map>
#include <utility>

namespace llmir {

/// A vocabulary as the merge loop sees it; all views are of the tokenizer's own tables.
struct ScoredVocabulary {
  const TokenIndex &index;                    ///< of the tokens that text can become
  std::span<const std::string> texts;         ///< by id, spaces as they are
  std::span<const float> scores;              ///< by id
  std::span<const TokenType> types;           ///< by id
  const std::array<int32_t, 256> &byteTokens; ///< -1: none
  int32_t unknown;                            ///< -1: none
  size_t longest;                             ///< bytes of the longest text
  bool hasUnused;                             ///< whether any token has the type Unused
};

/// Working memory of one encode call; reused from piece to piece.
class ScoreMerger {
public:
  explicit ScoreMerger(const ScoredVocabulary &vocabulary) : vocabulary(vocabulary) {}

  /// Appends the tokens of `text`. A character that is no token becomes its bytes' tokens; where
  /// there are none, a run of such characters becomes one unknown token, or nothing.
  void merge(std::string_view text, std::vector<int32_t> &output);

private:
  struct Symbol {
    size_t begin;
    uint32_t length; // 0: swallowed by its left neighbour
    int32_t previous, next;
  };
  struct Candidate {
    float score;
    int32_t left;
    uint32_t length; // of both together when it was proposed
    bool operator<(const Candidate &other) const {
      return score != other.score ? score < other.score : left > other.left;
    }
  };
  std::string_view textOf(const Symbol &symbol) const {
    return text.substr(symbol.begin, symbol.length);
  }
  void propose(int32_t left);
  void output(std::string_view piece, std::vector<int32_t> &ids);
  void outputUnknown(std::string_view piece, std::vector<int32_t> &ids);

  const ScoredVocabulary vocabulary;
  std::string_view text;
  std::vector<Symbol> symbols;
  std::vector<Candidate> queue; // a heap
  /// What merged into a token that must not come out of text: it is taken apart again.
  std::unordered_map<std::string_view, std::pair<std::string_view, std::string_view>> parts;
  std::vector<std::string_view> pending; // of output(), the next one last
  bool isBehindUnknown = false;
};

} // namespace llmir
