// Every block is free or owned at any time, whatever happens to sequences.
#include "llmir/runtime/device/cpu/CpuDevice.h"
#include "llmir/runtime/kv/KvSequence.h"
#include <gtest/gtest.h>
#include <random>
#include <set>

using namespace llmir;

namespace {

const KvManifest layout = {2, 4, 100, 60, "f16"};

TEST(KvCache, LayersDoNotOverlap) {
  auto device = CpuDevice::create(1);
  auto cache = KvCache::create(**device, layout, 3);
  ASSERT_TRUE(cache);
  std::vector<uintptr_t> starts;
  for (int layer = 0; layer < 2; ++layer) {
    starts.push_back(uintptr_t(cache->layers()[layer].k));
    starts.push_back(uintptr_t(cache->layers()[layer].v));
  }
  const int64_t sizes[] = {300, 180, 300};
  for (size_t i = 0; i < starts.size(); ++i) {
    EXPECT_EQ(starts[i] % 64, 0u);
    if (i)
      EXPECT_GE(starts[i], starts[i - 1] + sizes[i - 1]);
  }
}

TEST(KvCache, RefusesWhatCannotBeAddressed) {
  auto device = CpuDevice::create(1);
  EXPECT_FALSE(KvCache::create(**device, {1, 1 << 16, 64, 64, "f16"}, INT32_MAX));
  EXPECT_FALSE(KvCache::create(**device, {1 << 16, 1, INT32_MAX, 64, "f16"}, INT32_MAX));
}

TEST(KvCache, CopiesABlockInEveryLayer) {
  auto device = CpuDevice::create(1);
  auto cache = KvCache::create(**device, layout, 3);
  auto bytes = [&](int layer, bool isV, int block) {
    const llmir_kv_layer &memory = cache->layers()[layer];
    return static_cast<uint8_t *>(isV ? memory.v : memory.k) + block * (isV ? 60 : 100);
  };
  for (int layer : {0, 1})
    for (bool isV : {false, true})
      std::fill_n(bytes(layer, isV, 2), isV ? 60 : 100, uint8_t(1 + 2 * layer + isV));
  cache->copyBlock(2, 0);
  for (int layer : {0, 1})
    for (bool isV : {false, true}) {
      EXPECT_TRUE(std::equal(bytes(layer, isV, 0), bytes(layer, isV, 1), bytes(layer, isV, 2)));
      EXPECT_EQ(*bytes(layer, isV, 1), 0) << "the block behind it is left alone";
    }
}

TEST(BlockPool, CountsReferences) {
  BlockPool pool(2);
  int32_t block = *pool.take();
  pool.retain(block);
  pool.release(block);
  EXPECT_EQ(pool.referencesOf(block), 1);
  EXPECT_EQ(pool.freeBlocks(), 1);
  EXPECT_TRUE(pool.check());
  pool.release(block);
  EXPECT_EQ(pool.freeBlocks(), 2);
  EXPECT_TRUE(pool.take() && pool.take() && !pool.take());
}

TEST(KvSequence, RandomLives) {
  auto device = CpuDevice::create(1);
  auto cache = KvCache::create(**device, layout, 20);
  std::mt19937 random(7);
  std::vector<KvSequence> sequences;
  for (int i = 0; i < 5; ++i)
    sequences.emplace_back(*cache, 64);
  for (int round = 0; round < 2000; ++round) {
    KvSequence &sequence = sequences[random() % sequences.size()];
    int64_t before = sequence.length();
    int32_t count = 1 + int32_t(random() % 9);
    if (random() % 6 == 0 || before + count > 64)
      sequence.clear();
    else if (int32_t free = cache->pool().freeBlocks(); !sequence.grow(count)) {
      EXPECT_EQ(sequence.length(), before);
      EXPECT_EQ(cache->pool().freeBlocks(), free);
    }
    std::set<int32_t> owned;
    size_t total = 0;
    for (const KvSequence &each : sequences) {
      EXPECT_EQ(int32_t(each.blocks().size()), cache->blocksFor(each.length()));
      owned.insert(each.blocks().begin(), each.blocks().end());
      total += each.blocks().size();
    }
    ASSERT_EQ(owned.size(), total) << "a block has two owners";
    ASSERT_EQ(int32_t(total) + cache->pool().freeBlocks(), 20);
    ASSERT_TRUE(cache->pool().check());
  }
}

} // namespace
