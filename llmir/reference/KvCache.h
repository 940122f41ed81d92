// The KV cache of the interpreter: the numbers of a paged cache in logical order. What the order in
// memory is (the page layout of abi/llmir_abi.h) is the business of compiled code; what a slot
// holds is the same in both.
#pragma once

#include "llmir/dialect/Llm.h"
#include <span>
#include <vector>

namespace llmir::reference {

class KvCache {
public:
  /// `blocks` blocks of `type.getBlock()` tokens in every layer, all zero.
  KvCache(llm::KvType type, int64_t blocks);

  llm::KvType getType() const { return type; }
  int64_t getBlocks() const { return blocks; }
  int64_t getSlots() const { return blocks * type.getBlock(); }

  /// Keys [heads * k_dim] and values [heads * v_dim] of a slot: f32, but each one that the cache's
  /// element type can hold.
  std::span<const float> keys(int64_t layer, int64_t slot) const;
  std::span<const float> values(int64_t layer, int64_t slot) const;

  /// Stores one token, rounded to the element type (f16: to nearest even, overflow to infinity).
  void append(int64_t layer, int64_t slot, std::span<const float> k, std::span<const float> v);

private:
  llm::KvType type;
  int64_t blocks;
  std::vector<std::vector<float>> k; ///< per layer [slots][heads * k_dim]
  std::vector<std::vector<float>> v; ///< per layer [slots][heads * v_dim]
};

} // namespace llmir::reference
