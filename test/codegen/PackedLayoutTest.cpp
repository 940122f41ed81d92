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

/// Number i of `count` integer scales and minima; `row` is the place of the row's first byte.
static int scaleAt(const QuantScheme &scheme, const uint8_t *row, int64_t stride, int i,
                   int count) {
  if (scheme.scaleBits == 8)
    return static_cast<int8_t>(row[i * stride]);
  int number = row[i / 2 * stride] >> 4 * (i % 2) & 15;
  if (scheme.scaleBits == 6)
    number |= (row[(count / 2 + i / 4) * stride] >> 2 * (i % 4) & 3) << 4;
  return scheme.hasMin ? number : number - 32;
}

TEST(PackedLayout, TakesNoMoreThanTheFile) {
  Target target = Target::named("x86-64-v3").value();
  for (const FormatInfo &info : allFormats())
    if (info.scheme)
      EXPECT_EQ(packedLayout(target, info.format, 1024, 2048).bytes(),
                1024 * rowBytes(info.format, 2048))
          << info.name;
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
        if (scheme.superBlock) {
          const int groups = 256 / scheme.group, each = scheme.hasMin ? 2 : 1;
          for (int g = 0; g < groups; ++g) {
            ASSERT_EQ(scaleAt(scheme, p + r, rows, g * each, groups * each), parts.scale[g])
                << info.name;
            if (scheme.hasMin)
              ASSERT_EQ(scaleAt(scheme, p + r, rows, g * each + 1, groups * each), parts.min[g])
                  << info.name;
          }
          p += groups * each * scheme.scaleBits / 8 * rows;
        }
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
