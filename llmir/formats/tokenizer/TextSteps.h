// What is done to a text before its pieces are merged into tokens, step by step, as plain data: the
// steps of Hugging Face's normalizers and pre-tokenizers. Normalizer and PreTokenizer run them.
#pragma once

#include <string>
#include <variant>

namespace llmir {

enum class UnicodeForm { Nfc, Nfd, Nfkc, Nfkd };

/// Puts `text` in front of every text that is not empty.
struct PrependStep {
  std::string text;
};

/// Puts `text` in front of every piece that does not begin with it, or only of the piece at the
/// start of the whole text.
struct PrefixStep {
  std::string text;
  bool onlyAtStart = false;
};

/// Replaces every `from`, which is not empty.
struct ReplaceStep {
  std::string from, to;
};

/// What becomes of the matches of a pattern that cuts pieces: pieces of their own, nothing, one
/// piece with what is of their kind beside them, or parts of the piece on one side.
enum class SplitBehavior { Isolated, Removed, Contiguous, MergedWithPrevious, MergedWithNext };

struct SplitStep {
  std::string pattern;    // ICU syntax, or a text that is looked for as it is
  bool isLiteral = false; // the latter
  SplitBehavior behavior = SplitBehavior::Isolated;
  bool isInverted = false; // what does not match counts as the matches
  std::string name;        // of the pattern, for errors
};

using NormalizerStep = std::variant<UnicodeForm, PrependStep, ReplaceStep>;
using PreTokenizerStep = std::variant<SplitStep, PrefixStep, ReplaceStep>;

} // namespace llmir
