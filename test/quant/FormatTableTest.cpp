// The format table: look-ups find every row, and only that.
#include "llmir/quant/Format.h"

#include <gtest/gtest.h>
#include <set>

using namespace llmir;

TEST(FormatTable, EveryRowIsFoundByNameAndNumber) {
  std::set<std::string_view> names;
  std::set<int> numbers;
  for (const FormatInfo &info : allFormats()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_EQ(formatByName(info.name), info.format);
    EXPECT_EQ(&formatInfo(info.format), &info);
    if (info.ggufType < 0)
      continue;
    EXPECT_TRUE(numbers.insert(info.ggufType).second) << info.name;
    EXPECT_EQ(formatByGgufType(static_cast<uint32_t>(info.ggufType)), info.format);
  }
}

TEST(FormatTable, UnknownNamesAndNumbersAreNothing) {
  EXPECT_FALSE(formatByName("q9_0"));
  EXPECT_FALSE(formatByName("Q4_0"));
  EXPECT_FALSE(formatByName(""));
  for (uint32_t type : {4u, 5u, 31u, 38u, 1000u, 0x7fffffffu, 0xffffffffu})
    EXPECT_FALSE(formatByGgufType(type)) << type;
}

TEST(FormatTable, RowsAreWholeBlocks) {
  EXPECT_EQ(rowBytes(Format::F32, 5), 20);
  EXPECT_EQ(rowBytes(Format::Q4_1, 576), 18 * 20);
  EXPECT_EQ(rowBytes(Format::Q6_K, 2048), 8 * 210);
  EXPECT_EQ(rowBytes(Format::A8, 64), 64 + 2 * 4 + 2 * 4);
  EXPECT_EQ(rowBytes(Format::A16, 64), 128 + 2 * 4 + 2 * 4);
}

TEST(FormatTable, EverySchemeHasACodecAndFitsItsBlock) {
  for (const FormatInfo &info : allFormats()) {
    if (!info.scheme)
      continue;
    EXPECT_TRUE(info.hasCodec) << info.name;
    EXPECT_EQ(info.scheme->superBlock, info.blockElements == 256) << info.name;
    EXPECT_LE(info.blockElements * info.scheme->bits, info.blockBytes * 8) << info.name;
    EXPECT_EQ(info.blockElements % info.scheme->group, 0) << info.name;
  }
}
