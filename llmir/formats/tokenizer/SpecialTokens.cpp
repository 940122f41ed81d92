// See the header.
#include "llmir/formats/tokenizer/SpecialTokens.h"

#include <algorithm>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

namespace llmir {

void SpecialTokens::add(std::string_view text, int32_t id, bool control,
                        TokenSurroundings surroundings) {
  uint32_t node = 0;
  for (uint8_t byte : text) {
    auto [edge, isNew] = edges.try_emplace(uint64_t(node) << 8 | byte, uint32_t(nodes.size()));
    if (isNew)
      nodes.emplace_back();
    node = edge->second;
  }
  if (node != 0)
    nodes[node] = {id, control, surroundings};
}

/// What regular expressions call \w.
static bool isWord(UChar32 c) {
  return c >= 0 &&
         (u_hasBinaryProperty(c, UCHAR_ALPHABETIC) || u_hasBinaryProperty(c, UCHAR_JOIN_CONTROL) ||
          (U_GET_GC_MASK(c) & (U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK)) != 0);
}

static bool isSpace(UChar32 c) { return c >= 0 && u_isUWhiteSpace(c); }

/// The character that ends before `at`, which becomes where it begins; less than 0 if there is
/// none.
static UChar32 before(std::string_view text, size_t &at) {
  if (at == 0)
    return -1;
  // ICU's macros are for signed indices; a character lies within the last four bytes.
  const size_t base = at < 4 ? 0 : at - 4;
  const char *bytes = text.data() + base;
  auto place = int32_t(at - base);
  UChar32 c;
  U8_PREV(bytes, 0, place, c);
  at = base + size_t(place);
  return c;
}

/// The character that begins at `at`, which becomes where it ends; less than 0 if there is none.
static UChar32 behind(std::string_view text, size_t &at) {
  if (at == text.size())
    return -1;
  const char *bytes = text.data() + at;
  const auto limit = int32_t(std::min<size_t>(text.size() - at, 4));
  int32_t place = 0;
  UChar32 c;
  U8_NEXT(bytes, place, limit, c); // NOLINT(bugprone-inc-dec-in-conditions): ICU's macro
  at += size_t(place);
  return c;
}

static bool touchesWord(std::string_view text, size_t begin, size_t end) {
  return isWord(before(text, begin)) || isWord(behind(text, end));
}

SpecialTokens::Match SpecialTokens::find(std::string_view text, size_t from,
                                         bool withControl) const {
  for (size_t begin = from; begin < text.size() && !edges.empty(); ++begin) {
    size_t end = begin;
    const Node *longest = nullptr;
    uint32_t node = 0;
    for (size_t i = begin; i < text.size(); ++i) {
      auto edge = edges.find(uint64_t(node) << 8 | uint8_t(text[i]));
      if (edge == edges.end())
        break;
      node = edge->second;
      if (nodes[node].id >= 0 && (withControl || !nodes[node].control)) {
        longest = &nodes[node];
        end = i + 1;
      }
    }
    if (!longest)
      continue;
    if (longest->surroundings.singleWord && touchesWord(text, begin, end)) {
      begin = end - 1;
      continue;
    }
    for (size_t at = begin; longest->surroundings.stripsLeft && begin > from; begin = at)
      if (!isSpace(before(text, at)))
        break;
    for (size_t at = end; longest->surroundings.stripsRight; end = at)
      if (!isSpace(behind(text, at)))
        break;
    return {begin, end - begin, longest->id};
  }
  return {text.size(), 0, -1};
}

} // namespace llmir
