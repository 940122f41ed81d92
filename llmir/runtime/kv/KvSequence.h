// One sequence's view of the KV cache: which block holds which positions. It grows as tokens are
// appended and gives its blocks back when it ends.
#pragma once

#include "llmir/runtime/kv/KvCache.h"
#include <span>

namespace llmir {

class KvSequence {
public:
  /// An empty sequence of at most `maxTokens` tokens; growing never allocates memory. The cache
  /// must outlive it.
  KvSequence(KvCache &cache, int64_t maxTokens);
  KvSequence(KvSequence &&other) noexcept
      : cache(other.cache), table(std::move(other.table)), tokens(std::exchange(other.tokens, 0)) {
    other.table.clear();
  }
  ~KvSequence() { clear(); }

  /// Makes room for `count` more tokens. False, and nothing changes, when the pool has too few free
  /// blocks.
  bool grow(int32_t count);

  /// Forgets the tokens from `length` on and gives their blocks back.
  void shrink(int64_t length);

  /// Gives all blocks back.
  void clear() { shrink(0); }

  int64_t length() const { return tokens; }
  std::span<const int32_t> blocks() const { return table; }
  /// Where the token at `position` lies: block * B + offset, as llmir_batch's slot_mapping wants
  /// it.
  int32_t slot(int64_t position) const {
    int32_t size = cache->blockTokens();
    return table[position / size] * size + int32_t(position % size);
  }

private:
  KvCache *cache;
  std::vector<int32_t> table; // reserved at creation
  int64_t tokens = 0;
};

} // namespace llmir
