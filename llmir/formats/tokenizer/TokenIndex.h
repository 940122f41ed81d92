// Finds the token of a text: a hash table of ids that reads the texts where they lie, so that a
// vocabulary of 262,144 tokens is not stored twice.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace llmir {

class TokenIndex {
public:
  /// Room for `count` tokens.
  explicit TokenIndex(size_t count = 0);

  /// `texts` are those of all tokens by id, the same in every call. Of equal texts the first id
  /// stays.
  void add(int32_t id, std::span<const std::string> texts);

  /// -1: no token has this text.
  int32_t find(std::string_view text, std::span<const std::string> texts) const {
    return ids[slot(text, texts)];
  }

private:
  size_t slot(std::string_view text, std::span<const std::string> texts) const;

  std::vector<int32_t> ids; // open addressing, a power of two, at most half full
};

} // namespace llmir
