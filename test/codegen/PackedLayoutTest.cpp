// Packing keeps every number: panels are read back by the description in PackedLayout.cpp.
#include "llmir/codegen/cpu/PackedLayout.h"

#include <gtest/gtest.h>
#include <random>
#include <vector>

using namespace llmir;
using namespace llmir::cpu;

static int quantAt(int bits, const uint8_t *row, int64_t stride, int i) {
  int s = i / 4, t = i % 4;
  auto two = [&](int64_t v) { return row[(v + s / 4) * stride + t] >> (s % 4 * 2) & 3; };
  auto one = [&](int64_t v) { return row[v * stride + t] >> s & 1; };
  int nibble = row[s / 2 * stride + t] >> (s % 2 * 4) & 15;
  switch (bits) {
  case 2:
    return two(0);
  case 3:
    return two(0) | one(2) << 2;
  case 4:
    return nibble;
  case 5:
    return nibble | one(4) << 4;
  case 6:
    return nibble | two(4) << 4;
  default:
    return row[s * stride + t] ^ 0x80;
  }
}

TEST(PackedLayout, KeepsEveryQuantAndScale) {
  Target target = Target::named("x86-64-v3").value();
  std::mt19937 random(1);
  for (const FormatInfo &info : allFormats()) {
    if (!info.scheme)
      continue;
    const QuantScheme &scheme = *info.scheme;
    const int64_t n = 21, k = 512, blocks = k / info.blockElements;
    PackedLayout layout = packedLayout(target, info.format, n, k);
    std::vector<uint8_t> source(n * rowBytes(info.format, k)), packed(layout.bytes());
    for (uint8_t &byte : source)
      byte = random();
    packPanels(layout, source.data(), packed.data(), 0, layout.panels);
    const int64_t rows = layout.panelRows();
    for (int64_t row = 0; row < n; ++row) {
      const uint8_t *p = packed.data() + row / rows * layout.panelBytes;
      const int64_t r = row % rows;
      for (int64_t block = 0; block < blocks; ++block) {
        BlockParts parts;
        unpackBlock(info.format, source.data() + (row * blocks + block) * info.blockBytes, parts);
        ASSERT_EQ(p[2 * r] | p[2 * r + 1] << 8, parts.d) << info.name;
        p += 2 * rows * (scheme.hasMin ? 2 : 1);
        if (scheme.superBlock)
          for (int g = 0; g < 256 / scheme.group; ++g, p += rows)
            ASSERT_EQ(static_cast<int8_t>(p[r]), parts.scale[g]) << info.name;
        if (scheme.superBlock && scheme.hasMin)
          for (int g = 0; g < 256 / scheme.group; ++g, p += rows)
            ASSERT_EQ(p[r], parts.min[g]) << info.name;
        for (int64_t i = 0; i < info.blockElements; ++i)
          ASSERT_EQ(
              quantAt(scheme.bits, p + i / 32 * scheme.bits * 4 * rows + 4 * r, 4 * rows, i % 32),
              parts.quants[i])
              << info.name << " " << i;
        p += info.blockElements / 32 * scheme.bits * 4 * rows;
      }
    }
  }
}
