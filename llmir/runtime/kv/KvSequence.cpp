// Growth is all or nothing, so that a refused step leaves the accounting as it was.
#include "llmir/runtime/kv/KvSequence.h"

#include <cassert>

namespace llmir {

KvSequence::KvSequence(KvCache &cache, int64_t maxTokens) : cache(&cache) {
  table.reserve(cache.blocksFor(maxTokens));
}

bool KvSequence::grow(int32_t count) {
  int32_t needed = cache->blocksFor(tokens + count) - int32_t(table.size());
  if (needed > cache->pool().freeBlocks())
    return false;
  assert(table.size() + std::max(0, needed) <= table.capacity() && "longer than announced");
  for (int32_t i = 0; i < needed; ++i)
    table.push_back(*cache->pool().take());
  tokens += count;
  return true;
}

void KvSequence::shrink(int64_t length) {
  assert(length <= tokens && "this would be growth");
  while (int32_t(table.size()) > cache->blocksFor(length)) {
    cache->pool().release(table.back());
    table.pop_back();
  }
  tokens = length;
}

} // namespace llmir
