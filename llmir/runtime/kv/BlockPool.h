// Who owns which block of the KV cache: pure accounting, no memory. Every block is either free or
// owned by one or more sequences, and check() proves it.
#pragma once

#include "llmir/support/Error.h"
#include <cstdint>
#include <optional>
#include <vector>

namespace llmir {

class BlockPool {
public:
  explicit BlockPool(int32_t blocks);

  /// A free block, now with one reference; nothing when all are owned. Never allocates memory.
  std::optional<int32_t> take();
  /// One more owner of an owned block.
  void retain(int32_t block);
  /// One owner less; the last one frees the block.
  void release(int32_t block);

  int32_t capacity() const { return int32_t(references.size()); }
  int32_t freeBlocks() const { return int32_t(freeList.size()); }
  int32_t referencesOf(int32_t block) const { return references[block]; }

  /// Compares free list and reference counts; an error names the first block that is in neither or
  /// in both.
  Status check() const;

private:
  std::vector<int32_t> references; // by block; 0: free
  std::vector<int32_t> freeList;   // a stack: the block that was freed last is still in the caches
};

} // namespace llmir
