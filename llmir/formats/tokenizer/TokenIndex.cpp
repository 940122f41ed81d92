// See the header.
#include "llmir/formats/tokenizer/TokenIndex.h"

#include <algorithm>
#include <bit>
#include <functional>

namespace llmir {

TokenIndex::TokenIndex(size_t count) : ids(std::bit_ceil(std::max<size_t>(count, 1) * 2), -1) {}

void TokenIndex::add(int32_t id, std::span<const std::string> texts) {
  int32_t &place = ids[slot(texts[id], texts)];
  if (place < 0)
    place = id;
}

size_t TokenIndex::slot(std::string_view text, std::span<const std::string> texts) const {
  const size_t mask = ids.size() - 1;
  size_t index = std::hash<std::string_view>()(text) & mask;
  while (ids[index] >= 0 && texts[ids[index]] != text)
    index = (index + 1) & mask;
  return index;
}

} // namespace llmir
