// Token ids and .npy files of the command line.
#include "llmir/cli/NpyReader.h"
#include "llmir/cli/NpyWriter.h"
#include "llmir/cli/TokenIds.h"
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>

using namespace llmir;
using testing::ElementsAre;

namespace {

TEST(TokenIds, NumbersBetweenCommasAndSpace) {
  EXPECT_THAT(*parseTokenIds("1,2,\t3\r\n 9\n", "f", 10), ElementsAre(1, 2, 3, 9));
}

TEST(TokenIds, ErrorsSayWhere) {
  auto error = [](std::string_view text) { return parseTokenIds(text, "f", 10).error().message; };
  EXPECT_EQ(error("1 2\n3 10"),
            "f: line 2, column 3: '10' is no token id; ids are whole numbers from 0 to 9");
  EXPECT_THAT(error("1 -2"), testing::HasSubstr("column 3: '-2'"));
  EXPECT_THAT(error("1.5"), testing::HasSubstr("'1.5'"));
  EXPECT_THAT(error("99999999999999999999"), testing::HasSubstr("'99999999999999999999'"));
  EXPECT_THAT(error("\x01\xff"), testing::HasSubstr(R"('??')"));
  EXPECT_THAT(error(" \n"), testing::HasSubstr("holds no token ids"));
}

TEST(NpyWriter, DataBeginsAtAMultipleOf64) {
  std::string path = testing::TempDir() + "llmir-writer.npy";
  for (int64_t rows : {1, 123456789}) {
    auto writer = NpyWriter::create(path, rows, 7);
    ASSERT_TRUE(writer);
    ASSERT_TRUE(writer->write(std::vector<float>{1, 2, 3}));
    ASSERT_TRUE(writer->close());
    EXPECT_EQ((std::filesystem::file_size(path) - 12) % 64, 0u);
  }
  std::filesystem::remove(path);
  EXPECT_FALSE(NpyWriter::create("/nowhere/x.npy", 1, 1));
}

TEST(NpyWriter, AFullDiskIsSaid) {
  const char *expected = "/dev/full: cannot be written: No space left on device";
  auto writer = NpyWriter::create("/dev/full", 1, 1 << 20);
  ASSERT_TRUE(writer);
  EXPECT_EQ(writer->write(std::vector<float>(1 << 20)).error().message, expected);
  auto small = NpyWriter::create("/dev/full", 1, 1); // only closing it writes anything
  ASSERT_TRUE(small->write(std::vector<float>{1}));
  EXPECT_EQ(small->close().error().message, expected);
}

TEST(NpyReader, SaysWhatIsWrongWithAHeader) {
  const std::string path = testing::TempDir() + "llmir-reader.npy", magic = "\x93NUMPY";
  auto error = [&](const std::string &bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    auto reader = NpyReader::open(path);
    return reader ? std::string() : reader.error().message;
  };
  EXPECT_EQ(error("PK and more bytes"), path + ": is no .npy file");
  EXPECT_EQ(error(magic), path + ": is no .npy file");
  EXPECT_EQ(error(magic + std::string("\2\0\377\377", 4)), path + ": ends in its header");
  EXPECT_EQ(error(magic + std::string("\1\0\377\377{", 5)), path + ": ends in its header");
  EXPECT_EQ(error(magic + std::string("\2\0\0\0\1\1", 6)),
            path + ": has a header of 16842752 bytes, at most 65536 is possible");
  std::filesystem::remove(path);
  EXPECT_EQ(NpyReader::open(path).error().message,
            path + ": cannot be read: No such file or directory");
}

} // namespace
