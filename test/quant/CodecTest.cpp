// Blocks taken apart, put together, decoded and encoded. The values of the gguf package are
// compared in test/e2e; here are the identities that hold between our own functions.
#include "llmir/quant/Quantize.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <vector>

using namespace llmir;

namespace {
std::vector<FormatInfo> quantised() {
  std::vector<FormatInfo> result;
  for (const FormatInfo &info : allFormats())
    if (info.scheme)
      result.push_back(info);
  return result;
}

class Codec : public testing::TestWithParam<FormatInfo> {
protected:
  const FormatInfo &info = GetParam();
  std::mt19937 random{7};

  std::vector<uint8_t> randomBlocks(int count) {
    std::vector<uint8_t> bytes(static_cast<size_t>(info.blockBytes * count));
    for (uint8_t &byte : bytes)
      byte = static_cast<uint8_t>(random());
    return bytes;
  }
  std::vector<float> decode(const std::vector<uint8_t> &bytes) {
    const auto count = static_cast<int64_t>(bytes.size()) / info.blockBytes * info.blockElements;
    std::vector<float> values(static_cast<size_t>(count));
    dequantize(info.format, bytes.data(), values.data(), count);
    return values;
  }
  std::vector<float> reencode(const std::vector<float> &values) {
    const auto count = static_cast<int64_t>(values.size());
    std::vector<uint8_t> bytes(static_cast<size_t>(rowBytes(info.format, count)));
    quantizeRow(info.format, values.data(), bytes.data(), count);
    return decode(bytes);
  }
};

TEST_P(Codec, PackingIsTheInverseOfUnpacking) {
  const std::vector<uint8_t> blocks = randomBlocks(50);
  for (size_t at = 0; at < blocks.size(); at += static_cast<size_t>(info.blockBytes)) {
    BlockParts parts;
    unpackBlock(info.format, blocks.data() + at, parts);
    std::vector<uint8_t> packed(static_cast<size_t>(info.blockBytes), 0xaa);
    packBlock(info.format, parts, packed.data());
    ASSERT_EQ(std::memcmp(packed.data(), blocks.data() + at, packed.size()), 0) << at;
  }
}

TEST_P(Codec, PartsAreInRange) {
  const std::vector<uint8_t> blocks = randomBlocks(20);
  for (size_t at = 0; at < blocks.size(); at += static_cast<size_t>(info.blockBytes)) {
    BlockParts parts;
    unpackBlock(info.format, blocks.data() + at, parts);
    for (int64_t i = 0; i < info.blockElements; ++i)
      ASSERT_LT(parts.quants[i], 1 << info.scheme->bits);
    if (!info.scheme->superBlock)
      ASSERT_EQ(parts.scale[0], 1);
    if (!info.scheme->hasMin)
      ASSERT_EQ(parts.m, 0);
  }
}

/// The formula of QuantScheme, written down once more.
TEST_P(Codec, PartsGiveTheDequantisedValues) {
  const std::vector<uint8_t> blocks = randomBlocks(50);
  const std::vector<float> values = decode(blocks);
  const QuantScheme &scheme = *info.scheme;
  for (size_t block = 0; block * static_cast<size_t>(info.blockBytes) < blocks.size(); ++block) {
    BlockParts parts;
    unpackBlock(info.format, blocks.data() + block * static_cast<size_t>(info.blockBytes), parts);
    const float d = halfToFloat(parts.d), m = halfToFloat(parts.m);
    for (int64_t i = 0; i < info.blockElements; ++i) {
      const int64_t g = scheme.superBlock ? i / scheme.group : 0;
      const float q = static_cast<float>(parts.quants[i] - scheme.offset);
      const float scaled = scheme.superBlock ? d * static_cast<float>(parts.scale[g]) : d;
      const float product = scaled * q;
      const float minimum = scheme.superBlock ? m * static_cast<float>(parts.min[g]) : -m;
      const float expected = scheme.hasMin ? product - minimum : product;
      const float actual =
          values[block * static_cast<size_t>(info.blockElements) + static_cast<size_t>(i)];
      if (std::isnan(expected))
        ASSERT_TRUE(std::isnan(actual));
      else
        ASSERT_EQ(actual, expected) << "block " << block << " element " << i;
    }
  }
}

/// No value may be further away than the step of its block allows.
TEST_P(Codec, EncodingStaysWithinTheStep) {
  std::normal_distribution<float> normal(0, 1);
  std::vector<float> values(2048);
  for (float &value : values)
    value = normal(random);
  const std::vector<float> decoded = reencode(values);
  const float levels = static_cast<float>((1 << info.scheme->bits) - 1);
  // One step of the widest range (about ±4), and what rounding scales and minima adds.
  const float bound = 8 / levels * (info.scheme->superBlock ? 1.5f : 1.05f);
  for (size_t i = 0; i < values.size(); ++i)
    ASSERT_NEAR(decoded[i], values[i], bound) << i;
}

TEST_P(Codec, ZeroStaysZeroAndFiniteStaysFinite) {
  for (float value : {0.0f, -0.0f})
    for (float decoded : reencode(std::vector<float>(512, value)))
      ASSERT_EQ(decoded, 0);
  for (float value : {1e-30f, -1e-42f, 1e4f, -1e4f, 0.5f})
    for (float decoded : reencode(std::vector<float>(512, value))) {
      ASSERT_TRUE(std::isfinite(decoded)) << value;
      ASSERT_NEAR(decoded, value, std::fabs(value) * 0.5f + 1e-6f);
    }
}

TEST_P(Codec, AnyFloatsEncodeToSomething) {
  std::vector<float> values(512);
  for (float &value : values) {
    const auto bits = static_cast<uint32_t>(random());
    std::memcpy(&value, &bits, 4); // also NaN, infinity and subnormals
  }
  reencode(values);
}

TEST_P(Codec, WhatHasNoEncodingIsReported) {
  std::vector<float> values(512, 0.5f);
  std::vector<uint8_t> bytes(static_cast<size_t>(rowBytes(info.format, 512)));
  EXPECT_TRUE(quantizeRow(info.format, values.data(), bytes.data(), 512));
  for (float value : {NAN, -NAN, INFINITY, -INFINITY, 3e38f, -3e38f}) {
    values[300] = value;
    EXPECT_FALSE(quantizeRow(info.format, values.data(), bytes.data(), 512)) << value;
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, Codec, testing::ValuesIn(quantised()),
                         [](const auto &test) { return std::string(test.param.name); });
} // namespace

TEST(QuantizeRows, TheirErrorsSayWhere) {
  std::vector<float> values(3 * 64, 0.25f);
  std::vector<uint8_t> bytes(static_cast<size_t>(3 * rowBytes(Format::Q4_0, 64)));
  auto result = [&] {
    return quantizeRows(Format::F32, reinterpret_cast<const uint8_t *>(values.data()), Format::Q4_0,
                        bytes.data(), 3, 64, /*firstRow=*/100);
  };
  EXPECT_TRUE(result());
  values[150] = -6e5f;
  EXPECT_EQ(result().error().message,
            "holds -600000, in row 102, column 22, which is too large for q4_0");
  values[70] = NAN;
  EXPECT_EQ(result().error().message, "holds a number that is not finite, in row 101, column 6");
}

TEST(QuantizeRows, FloatsBecomeQuantisedAndNothingElse) {
  EXPECT_TRUE(canBecome(Format::F32, Format::F32));
  EXPECT_TRUE(canBecome(Format::BF16, Format::Q8_0));
  EXPECT_TRUE(canBecome(Format::F16, Format::Q4_0));
  for (auto [from, to] : {std::pair{Format::F32, Format::F16},
                          {Format::Q8_0, Format::Q4_0},
                          {Format::Q8_0, Format::F32},
                          {Format::I32, Format::Q8_0},
                          {Format::F32, Format::A8}})
    EXPECT_FALSE(canBecome(from, to)) << formatInfo(from).name << " " << formatInfo(to).name;
}

TEST(Dequantize, Q4_0ByHand) {
  uint8_t block[18] = {0x00, 0x40}; // d = 2
  block[2] = 0x1f;                  // element 0: 15, element 16: 1
  float values[32];
  dequantize(Format::Q4_0, block, values, 32);
  EXPECT_EQ(values[0], 14);
  EXPECT_EQ(values[16], -14);
  EXPECT_EQ(values[1], -16);
}

TEST(Dequantize, Q4_KByHand) {
  uint8_t block[144] = {0x00, 0x3c, 0x00, 0x38}; // d = 1, dmin = 0.5
  block[4] = 3;                                  // scale of group 0
  block[8] = 5;                                  // minimum of group 0
  block[16] = 0x07;                              // element 0
  float values[256];
  dequantize(Format::Q4_K, block, values, 256);
  EXPECT_EQ(values[0], 3 * 7 - 0.5f * 5);
  EXPECT_EQ(values[1], -2.5f);
  EXPECT_EQ(values[32], 0);
}
