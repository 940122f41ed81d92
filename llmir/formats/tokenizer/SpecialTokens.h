// Finds the tokens that stand in text as they are (control and user-defined ones), the longest at
// each place, with a byte trie: the cost does not grow with their number.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace llmir {

/// What a token asks of the text around it, which is what the flags of tokenizer.json say.
struct TokenSurroundings {
  bool singleWord = false; // not found with a letter, digit or _ beside it
  bool stripsLeft = false; // takes the white space beside it in
  bool stripsRight = false;
};

class SpecialTokens {
public:
  void add(std::string_view text, int32_t id, bool control, TokenSurroundings surroundings = {});

  bool isEmpty() const { return edges.empty(); }

  struct Match {
    size_t begin, length; // bytes; length 0: none found
    int32_t id;
  };

  /// The first match at or after `from`, where the last one ended. Control tokens count only where
  /// `withControl` is set.
  Match find(std::string_view text, size_t from, bool withControl) const;

private:
  struct Node {
    int32_t id = -1;
    bool control = false;
    TokenSurroundings surroundings;
  };
  std::vector<Node> nodes = {Node{}};
  std::unordered_map<uint64_t, uint32_t> edges; // node << 8 | byte
};

} // namespace llmir
