// Lays out the cache's memory: layer after layer, K before V, each aligned to a cache line.
#include "llmir/runtime/kv/KvCache.h"

#include <cstring>

namespace llmir {

namespace {

int64_t aligned(int64_t bytes) {
  constexpr int64_t alignment = 64;
  return (bytes + alignment - 1) / alignment * alignment;
}

} // namespace

Expected<int64_t> KvCache::bytesFor(const KvManifest &layout, int32_t blocks) {
  int64_t kBytes = 0, vBytes = 0, bytes = 0;
  // The manifest bounds each number, not their product; slots are counted in 32 bits.
  if (int64_t(blocks) * layout.blockTokens > INT32_MAX ||
      __builtin_mul_overflow(layout.kBlockBytes, int64_t(blocks), &kBytes) ||
      __builtin_mul_overflow(layout.vBlockBytes, int64_t(blocks), &vBytes) ||
      __builtin_mul_overflow(aligned(kBytes) + aligned(vBytes), layout.layers, &bytes))
    return fail("a KV cache of {} blocks needs more memory than can be addressed: ask for fewer or "
                "shorter sequences",
                blocks);
  return bytes;
}

Expected<KvCache> KvCache::create(Device &device, const KvManifest &layout, int32_t blocks) {
  auto bytes = bytesFor(layout, blocks);
  if (!bytes)
    return forward(bytes);
  auto memory = device.allocate(size_t(*bytes));
  if (!memory)
    return forward(memory,
                   fmt::format("KV cache of {} tokens", int64_t(blocks) * layout.blockTokens));
  std::byte *next = memory->data();
  KvCache cache(std::move(*memory), blocks, layout);
  const int64_t kBytes = aligned(layout.kBlockBytes * blocks);
  const int64_t vBytes = aligned(layout.vBlockBytes * blocks);
  for (int64_t layer = 0; layer < layout.layers; ++layer) {
    cache.layerTable.push_back({next, next + kBytes});
    next += kBytes + vBytes;
  }
  return cache;
}

void KvCache::copyBlock(int32_t from, int32_t to) {
  auto copy = [&](void *base, size_t bytes) {
    auto *blocks = static_cast<std::byte *>(base);
    std::memcpy(blocks + to * bytes, blocks + from * bytes, bytes);
  };
  for (const llmir_kv_layer &layer : layerTable) {
    copy(layer.k, kBlockBytes);
    copy(layer.v, vBlockBytes);
  }
}

} // namespace llmir
