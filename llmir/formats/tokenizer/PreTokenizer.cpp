// Runs a row of the pre-tokenizer table with ICU. The text goes to ICU as UTF-16 in which every
// byte that is no UTF-8 stands as a lone low surrogate 0xDC00 + byte: one character of no class,
// told apart from all others when the pieces are measured in bytes again.
#include "llmir/formats/tokenizer/PreTokenizer.h"

#include <unicode/regex.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

namespace llmir {

struct PreTokenizer::Patterns {
  std::vector<std::unique_ptr<icu::RegexPattern>> compiled;
};

Expected<PreTokenizer> PreTokenizer::create(std::string_view name) {
  PreTokenizer result;
  std::string known;
  for (const PreTokenizerRow &row : preTokenizerTable()) {
    if (row.name == name)
      result.row = &row;
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  if (!result.row)
    return fail("pre-tokenizer '{}' (tokenizer.ggml.pre) is unknown; known are {}", name, known);

  auto patterns = std::make_shared<Patterns>();
  for (const char *source : result.row->patterns) {
    UErrorCode status = U_ZERO_ERROR;
    UParseError where;
    patterns->compiled.emplace_back(
        icu::RegexPattern::compile(icu::UnicodeString::fromUTF8(source), 0, where, status));
    if (U_FAILURE(status))
      return fail("pre-tokenizer '{}': ICU refuses the pattern {} ({})", name, source,
                  u_errorName(status));
  }
  result.patterns = std::move(patterns);
  return result;
}

static icu::UnicodeString toUtf16(std::string_view text) {
  icu::UnicodeString result(int32_t(text.size()), 0, 0);
  char16_t *out = result.getBuffer(int32_t(text.size()));
  int32_t written = 0;
  const int32_t size = int32_t(text.size());
  for (int32_t i = 0; i < size;) {
    int32_t start = i;
    UChar32 c;
    U8_NEXT(text.data(), i, size, c);
    if (c >= 0) {
      U16_APPEND_UNSAFE(out, written, c);
      continue;
    }
    for (; start < i; ++start)
      out[written++] = char16_t(0xDC00 | uint8_t(text[start]));
  }
  result.releaseBuffer(written);
  return result;
}

/// UTF-8 length of what [begin, end) of toUtf16's result stands for.
static size_t byteLength(const char16_t *units, int32_t begin, int32_t end) {
  size_t bytes = 0;
  for (int32_t i = begin; i < end; ++i) {
    const char16_t c = units[i];
    if (U16_IS_LEAD(c)) {
      bytes += 4;
      ++i;
    } else if (U16_IS_TRAIL(c)) {
      bytes += 1;
    } else {
      bytes += U8_LENGTH(c);
    }
  }
  return bytes;
}

Status PreTokenizer::split(std::string_view text, std::vector<size_t> &lengths) const {
  if (text.empty())
    return {};
  if (text.size() > maxTextBytes)
    return fail("text has {} bytes, at most {} can be tokenized at once: split it", text.size(),
                maxTextBytes);
  const icu::UnicodeString units = toUtf16(text);
  std::vector<int32_t> ends = {units.length()}, next; // ends of the pieces so far
  for (const auto &pattern : patterns->compiled) {
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<icu::RegexMatcher> matcher(pattern->matcher(units, status));
    next.clear();
    int32_t begin = 0;
    for (int32_t end : ends) {
      if (U_SUCCESS(status))
        matcher->region(begin, end, status);
      int32_t covered = begin;
      while (U_SUCCESS(status) && covered < end && matcher->find(status)) {
        const int32_t from = matcher->start(status), to = matcher->end(status);
        if (from > covered)
          next.push_back(from);
        if (to > from)
          next.push_back(to);
        covered = std::max(covered, to);
      }
      if (covered < end)
        next.push_back(end);
      begin = end;
    }
    if (U_FAILURE(status))
      return fail("pre-tokenizer '{}': ICU gives up on a text of {} bytes ({})", row->name,
                  text.size(), u_errorName(status));
    ends.swap(next);
  }
  int32_t begin = 0;
  for (int32_t end : ends) {
    lengths.push_back(byteLength(units.getBuffer(), begin, end));
    begin = end;
  }
  return {};
}

} // namespace llmir
