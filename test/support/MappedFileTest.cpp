// MappedFile: contents, empty files, and the errors a user meets.
#include "llmir/support/MappedFile.h"
#include "Limit.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

using namespace llmir;

TEST(MappedFile, ReadsContents) {
  auto path = std::filesystem::path(testing::TempDir()) / "mapped_file_test";
  std::ofstream(path) << "abc";
  auto file = MappedFile::open(path);
  ASSERT_TRUE(file);
  EXPECT_EQ(std::string(file->bytes().begin(), file->bytes().end()), "abc");
  std::ofstream(path, std::ios::trunc).close();
  auto empty = MappedFile::open(path);
  ASSERT_TRUE(empty);
  EXPECT_TRUE(empty->bytes().empty());
}

TEST(MappedFile, NamesWhatIsWrong) {
  auto missing = MappedFile::open("/nonexistent/file");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message,
            "/nonexistent/file: cannot be opened: No such file or directory");
  auto folder = MappedFile::open("/tmp");
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().message, "/tmp: is not a regular file");
}

TEST(MappedFile, AFileThatTheAddressSpaceDoesNotHoldIsAnError) {
  auto path = std::filesystem::path(testing::TempDir()) / "mapped_file_test_large";
  std::ofstream(path).close();
  std::filesystem::resize_file(path, uintmax_t(1) << 32); // a hole: it takes no room
  auto file = [&] {
    LittleMemory little(size_t(1) << 30);
    return MappedFile::open(path);
  }();
  std::filesystem::remove(path);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().message, path.string() + ": cannot be mapped: Cannot allocate memory");
}
