// Limits of control groups, v1 and v2, from files as the kernel writes them.
#include "llmir/support/MemoryInfo.h"
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

using namespace llmir;
namespace fs = std::filesystem;

namespace {

class MemoryGroups : public testing::Test {
protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "llmir-memory-XXXXXX";
    folder = mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(folder); }
  void write(const char *name, const std::string &text) { std::ofstream(folder / name) << text; }

  fs::path folder;
};

TEST_F(MemoryGroups, V2) {
  EXPECT_FALSE(memoryGroup(folder));
  write("memory.max", "max\n");
  write("memory.current", "5000\n");
  EXPECT_FALSE(memoryGroup(folder));
  write("memory.max", "8000\n");
  write("memory.stat", "anon 1\nfile 9\ninactive_file 1000\nactive_file 500\n");
  auto group = memoryGroup(folder);
  ASSERT_TRUE(group);
  EXPECT_EQ(group->limit, 8000);
  EXPECT_EQ(group->used, 3500);
}

TEST_F(MemoryGroups, V1) {
  write("memory.limit_in_bytes", "9223372036854771712\n"); // no limit
  EXPECT_FALSE(memoryGroup(folder));
  write("memory.limit_in_bytes", "8000\n");
  write("memory.usage_in_bytes", "700\n");
  write("memory.stat", "inactive_file 1\nactive_file 1\ntotal_inactive_file 900\n");
  auto group = memoryGroup(folder);
  ASSERT_TRUE(group);
  EXPECT_EQ(group->limit, 8000);
  EXPECT_EQ(group->used, 0) << "never negative: the numbers are not read at the same moment";
}

TEST(MemoryInfo, ThisMachineHasMemory) {
  MemoryInfo info = memoryInfo();
  EXPECT_GT(info.physical, 0);
  EXPECT_GT(info.available, 0);
  EXPECT_LE(info.available, info.physical);
  EXPECT_GT(residentBytes(), 0);
  EXPECT_LE(residentBytes(), peakResidentBytes() + (1 << 20));
}

} // namespace
