// Finds the tokens that stand in text as they are (control and user-defined ones), the longest at
// each place, with a byte trie: the cost does not grow with their number.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace llmir {

class SpecialTokens {
public:
  void add(std::string_view text, int32_t id, bool control);

  struct Match {
    size_t begin, length; // bytes; length 0: none found
    int32_t id;
  };

  /// The first match at or after `from`. Control tokens count only where `withControl` is set.
  Match find(std::string_view text, size_t from, bool withControl) const;

private:
  struct Node {
    int32_t id = -1;
    bool control = false;
  };
  std::vector<Node> nodes = {Node{}};
  std::unordered_map<uint64_t, uint32_t> edges; // node << 8 | byte
};

} // namespace llmir
