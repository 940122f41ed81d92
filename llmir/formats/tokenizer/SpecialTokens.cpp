// See the header.
#include "llmir/formats/tokenizer/SpecialTokens.h"

namespace llmir {

void SpecialTokens::add(std::string_view text, int32_t id, bool control) {
  uint32_t node = 0;
  for (uint8_t byte : text) {
    auto [edge, isNew] = edges.try_emplace(uint64_t(node) << 8 | byte, uint32_t(nodes.size()));
    if (isNew)
      nodes.emplace_back();
    node = edge->second;
  }
  if (node != 0)
    nodes[node] = {id, control};
}

SpecialTokens::Match SpecialTokens::find(std::string_view text, size_t from,
                                         bool withControl) const {
  for (size_t begin = from; begin < text.size() && !edges.empty(); ++begin) {
    Match longest = {begin, 0, -1};
    uint32_t node = 0;
    for (size_t i = begin; i < text.size(); ++i) {
      auto edge = edges.find(uint64_t(node) << 8 | uint8_t(text[i]));
      if (edge == edges.end())
        break;
      node = edge->second;
      if (nodes[node].id >= 0 && (withControl || !nodes[node].control))
        longest = {begin, i + 1 - begin, nodes[node].id};
    }
    if (longest.length > 0)
      return longest;
  }
  return {text.size(), 0, -1};
}

} // namespace llmir
