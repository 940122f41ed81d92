// Activation rows in A8 and A16: planes, scales, sums and the smallest groups.
#include "llmir/quant/Format.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <vector>

using namespace llmir;

namespace {
struct Row {
  std::vector<int32_t> quants;
  std::vector<float> scales;
  std::vector<int32_t> sums;
};

Row quantized(Format format, const std::vector<float> &x) {
  const auto count = static_cast<int64_t>(x.size());
  std::vector<uint8_t> bytes(static_cast<size_t>(rowBytes(format, count)) + 1, 0xcd);
  quantizeActivations(format, x.data(), bytes.data(), count);
  EXPECT_EQ(bytes.back(), 0xcd) << "wrote past the row";
  Row row;
  const size_t width = format == Format::A8 ? 1 : 2;
  for (size_t i = 0; i < x.size(); ++i) {
    int16_t wide;
    std::memcpy(&wide, bytes.data() + i * width, width);
    row.quants.push_back(format == Format::A8 ? static_cast<int8_t>(bytes[i]) : wide);
  }
  row.scales.resize(x.size() / 32);
  row.sums.resize(x.size() / 32);
  std::memcpy(row.scales.data(), bytes.data() + x.size() * width, row.scales.size() * 4);
  std::memcpy(row.sums.data(), bytes.data() + x.size() * width + row.scales.size() * 4,
              row.sums.size() * 4);
  return row;
}
} // namespace

TEST(Activations, ValuesScalesAndSumsBelongTogether) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0, 2);
  std::vector<float> x(160);
  for (float &value : x)
    value = normal(random);
  for (Format format : {Format::A8, Format::A16}) {
    const int limit = format == Format::A8 ? 127 : 32767;
    const Row row = quantized(format, x);
    for (size_t g = 0; g < row.scales.size(); ++g) {
      int32_t sum = 0, largest = 0;
      for (size_t i = g * 32; i < g * 32 + 32; ++i) {
        sum += row.quants[i];
        largest = std::max(largest, std::abs(row.quants[i]));
        EXPECT_NEAR(row.scales[g] * static_cast<float>(row.quants[i]), x[i],
                    row.scales[g] * 0.501f);
      }
      EXPECT_EQ(largest, limit);
      EXPECT_EQ(row.sums[g], sum);
    }
  }
}

TEST(Activations, RoundsTiesToEven) {
  std::vector<float> x(32, 0);
  x[0] = 127;
  x[1] = 0.5f;
  x[2] = 1.5f;
  x[3] = -2.5f;
  const Row row = quantized(Format::A8, x);
  EXPECT_EQ(row.scales[0], 1);
  EXPECT_EQ(row.quants[1], 0);
  EXPECT_EQ(row.quants[2], 2);
  EXPECT_EQ(row.quants[3], -2);
}

TEST(Activations, TinyGroupsAreZero) {
  std::vector<float> x(64, 0);
  x[0] = 0x1.fffffep-101f; // just below the limit
  x[32] = 0x1p-100f;
  for (Format format : {Format::A8, Format::A16}) {
    const Row row = quantized(format, x);
    EXPECT_EQ(row.scales[0], 0);
    EXPECT_EQ(row.quants[0], 0);
    EXPECT_EQ(row.quants[32], format == Format::A8 ? 127 : 32767);
    EXPECT_GT(row.scales[1], 0);
  }
}
