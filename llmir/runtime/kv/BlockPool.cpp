// Reference counts and a free list, reserved at full size.
#include "llmir/runtime/kv/BlockPool.h"

#include <cassert>

namespace llmir {

BlockPool::BlockPool(int32_t blocks) : references(blocks, 0) {
  freeList.reserve(blocks);
  for (int32_t block = blocks - 1; block >= 0; --block)
    freeList.push_back(block);
}

std::optional<int32_t> BlockPool::take() {
  if (freeList.empty())
    return std::nullopt;
  int32_t block = freeList.back();
  freeList.pop_back();
  references[block] = 1;
  return block;
}

void BlockPool::retain(int32_t block) {
  assert(references[block] > 0 && "a free block has no owner to share it");
  ++references[block];
}

void BlockPool::release(int32_t block) {
  assert(references[block] > 0 && "released more often than taken");
  if (--references[block] == 0)
    freeList.push_back(block);
}

Status BlockPool::check() const {
  std::vector<bool> listed(references.size(), false);
  for (int32_t block : freeList) {
    if (listed[block])
      return fail("block {} is twice in the free list", block);
    listed[block] = true;
  }
  for (size_t block = 0; block < references.size(); ++block)
    if (listed[block] == (references[block] > 0))
      return fail("block {} has {} owners and is {}in the free list", block, references[block],
                  listed[block] ? "" : "not ");
  return {};
}

} // namespace llmir
