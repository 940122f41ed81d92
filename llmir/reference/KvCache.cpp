// Storage and rounding of the interpreter's KV cache.
#include "llmir/reference/KvCache.h"

#include <algorithm>

namespace llmir::reference {

KvCache::KvCache(llm::KvType type, int64_t blocks) : type(type), blocks(blocks) {
  k.assign(type.getLayers(), std::vector<float>(getSlots() * type.getHeads() * type.getKDim()));
  v.assign(type.getLayers(), std::vector<float>(getSlots() * type.getHeads() * type.getVDim()));
}

std::span<const float> KvCache::keys(int64_t layer, int64_t slot) const {
  size_t width = type.getHeads() * type.getKDim();
  return std::span(k[layer]).subspan(slot * width, width);
}

std::span<const float> KvCache::values(int64_t layer, int64_t slot) const {
  size_t width = type.getHeads() * type.getVDim();
  return std::span(v[layer]).subspan(slot * width, width);
}

void KvCache::append(int64_t layer, int64_t slot, std::span<const float> newKeys,
                     std::span<const float> newValues) {
  bool half = type.getElement().isF16();
  auto round = [half](float x) { return half ? halfToFloat(floatToHalf(x)) : x; };
  std::ranges::transform(newKeys, k[layer].begin() + slot * newKeys.size(), round);
  std::ranges::transform(newValues, v[layer].begin() + slot * newValues.size(), round);
}

} // namespace llmir::reference
