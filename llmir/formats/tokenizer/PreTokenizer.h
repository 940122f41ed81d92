// Splits text into the pieces inside which BPE may merge, by the regexes that a model was trained
// with. The regexes are data (PreTokenizerTable.cpp), run by ICU; models name them as llama.cpp
// does in tokenizer.ggml.pre.
#pragma once

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

/// Texts that are longer are refused, whatever encodes them.
constexpr size_t maxTextBytes = size_t(512) << 20;

class PreTokenizer {
public:
  /// Errors: an unknown name (the known ones are listed).
  static Expected<PreTokenizer> create(std::string_view name);

  /// Appends the lengths in bytes of the pieces of `text`, in order; together they cover it. Bytes
  /// that are no UTF-8 each count as one symbol character. Errors: text over 512 MiB.
  Status split(std::string_view text, std::vector<size_t> &lengths) const;

  bool ignoreMerges() const { return row->ignoreMerges; }
  bool addBosByDefault() const { return row->addBos; }

private:
  struct Patterns;
  const PreTokenizerRow *row = nullptr;
  std::shared_ptr<const Patterns> patterns; // compiled, immutable: shared by all threads
};

} // namespace llmir
