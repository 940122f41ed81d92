// Splits text into the pieces inside which BPE may merge, by the regexes that a model was trained
// with. Models name them as llama.cpp does in tokenizer.ggml.pre (PreTokenizerTable.cpp), or their
// tokenizer.json spells them out. ICU runs them.
#pragma once

#include "llmir/formats/tokenizer/TextSteps.h"
#include "llmir/support/Error.h"
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace llmir {

/// One row of the table: the patterns are applied one after the other to the pieces of the one
/// before, and what no match covers is a piece too.
struct PreTokenizerRow {
  std::string_view name;
  std::span<const char *const> patterns; // ICU syntax, UTF-8
  bool ignoreMerges; // a piece that is a token as a whole is never merged from parts
  bool addBos;       // what the models do when their file does not say
};

std::span<const PreTokenizerRow> preTokenizerTable();

/// Errors: an unknown name (the known ones are listed).
Expected<const PreTokenizerRow *> findPreTokenizer(std::string_view name);

/// The row's patterns as steps.
std::vector<PreTokenizerStep> stepsOf(const PreTokenizerRow &row);

class PreTokenizer {
public:
  /// Errors: a pattern that ICU refuses, with its name.
  static Expected<PreTokenizer> create(std::vector<PreTokenizerStep> steps);

  /// Appends the lengths in bytes of the pieces of `text`, in order; together they cover it. Where
  /// steps add, replace or remove something, `text` becomes what is left. Bytes that are no UTF-8
  /// each count as one symbol character. Errors: text over 512 MiB, patterns that backtrack without
  /// end.
  Status split(std::string &text, std::vector<size_t> &lengths, bool isAtStart = true) const;

private:
  struct Step;
  std::shared_ptr<const std::vector<Step>> steps; // compiled, immutable: shared by all threads
};

} // namespace llmir
