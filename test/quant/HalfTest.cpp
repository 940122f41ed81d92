// f16 and bf16: every value there and back, and rounding at its edges.
#include "llmir/quant/Format.h"

#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace llmir;

TEST(Half, EveryValueComesBack) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const float value = halfToFloat(static_cast<uint16_t>(bits));
    if (std::isnan(value))
      EXPECT_TRUE(std::isnan(halfToFloat(floatToHalf(value)))) << bits;
    else
      EXPECT_EQ(floatToHalf(value), bits);
  }
}

TEST(Half, KnownValues) {
  EXPECT_EQ(halfToFloat(0x3c00), 1.0f);
  EXPECT_EQ(halfToFloat(0xc000), -2.0f);
  EXPECT_EQ(halfToFloat(0x0001), 0x1p-24f);
  EXPECT_EQ(halfToFloat(0x7bff), 65504.0f);
  EXPECT_EQ(halfToFloat(0x7c00), std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::signbit(halfToFloat(0x8000)));
}

TEST(Half, RoundsToNearestEven) {
  EXPECT_EQ(floatToHalf(1 + 0x1p-11f), 0x3c00);            // tie: down to even
  EXPECT_EQ(floatToHalf(1 + 3 * 0x1p-11f), 0x3c02);        // tie: up to even
  EXPECT_EQ(floatToHalf(1 + 0x1p-11f + 0x1p-20f), 0x3c01); // just above a tie
  EXPECT_EQ(floatToHalf(65519.996f), 0x7bff);
  EXPECT_EQ(floatToHalf(65520), 0x7c00);
  EXPECT_EQ(floatToHalf(-1e30f), 0xfc00);
  EXPECT_EQ(floatToHalf(0x1p-25f), 0x0000);
  EXPECT_EQ(floatToHalf(0x1.000002p-25f), 0x0001);
  EXPECT_EQ(floatToHalf(0x1.ffep-15f), 0x0400); // subnormal rounds up to the first normal value
  EXPECT_EQ(floatToHalf(-0.0f), 0x8000);
}

/// The nearest f16 by looking at both neighbours, in exact arithmetic.
TEST(Half, AgreesWithSearchOnTiesAndBesideThem) {
  for (uint32_t bits = 0; bits < 0x7bff; ++bits) {
    const double low = halfToFloat(static_cast<uint16_t>(bits));
    const double high = halfToFloat(static_cast<uint16_t>(bits + 1));
    const auto middle = static_cast<float>((low + high) / 2);
    const uint32_t even = bits & 1 ? bits + 1 : bits;
    ASSERT_EQ(floatToHalf(middle), even) << bits;
    ASSERT_EQ(floatToHalf(std::nextafter(middle, 0.0f)), bits);
    ASSERT_EQ(floatToHalf(std::nextafter(middle, 1e9f)), bits + 1);
  }
}

TEST(Bfloat, EveryValueComesBack) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const float value = bfloatToFloat(static_cast<uint16_t>(bits));
    if (std::isnan(value))
      EXPECT_TRUE(std::isnan(bfloatToFloat(floatToBfloat(value)))) << bits;
    else
      EXPECT_EQ(floatToBfloat(value), bits);
  }
}

TEST(Bfloat, RoundsToNearestEven) {
  EXPECT_EQ(floatToBfloat(1 + 0x1p-8f), 0x3f80);
  EXPECT_EQ(floatToBfloat(1 + 3 * 0x1p-8f), 0x3f82);
  EXPECT_EQ(floatToBfloat(1 + 0x1p-8f + 0x1p-20f), 0x3f81);
  EXPECT_EQ(floatToBfloat(std::numeric_limits<float>::max()), 0x7f80);
  // A NaN whose upper payload is empty must not become infinity.
  EXPECT_TRUE(std::isnan(bfloatToFloat(floatToBfloat(std::bit_cast<float>(0x7f800001u)))));
}
