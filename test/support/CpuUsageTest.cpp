// Foreign CPU time from /proc/stat's numbers.
#include "llmir/support/CpuUsage.h"
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

using namespace llmir;

namespace {

TEST(CpuUsage, CountsTheBusyFieldsOfTheCpusWanted) {
  std::string path = testing::TempDir() + "llmir-stat";
  std::ofstream(path) << "cpu  9 9 9 9 9 9 9 9 9 9\n"
                         "cpu0 1 2 4 1000 1000 8 16 32 64 128\n"
                         "cpu11 100 0 0 7 7 0 0 0 0 0\n"
                         "cpu12 5 5\n"
                         "intr 1 2 3\n";
  CpuTicks all = busyTicks(path, [](int) { return true; });
  EXPECT_EQ(all.busy, 63 + 100 + 10);
  EXPECT_EQ(all.cpus, 3);
  CpuTicks some = busyTicks(path, [](int cpu) { return cpu == 11; });
  EXPECT_EQ(some.busy, 100);
  EXPECT_EQ(some.cpus, 1);
  std::filesystem::remove(path);
  EXPECT_EQ(busyTicks(path, [](int) { return true; }).cpus, 0);
}

TEST(CpuUsage, WhatIsNotIdleAndNotOursIsForeign) {
  CpuTimes before{.busy = 100, .own = 10, .wall = 5, .cpus = 2};
  CpuTimes after{.busy = 116, .own = 25, .wall = 15, .cpus = 2};
  EXPECT_DOUBLE_EQ(foreignShare(before, after), 1.0 / 20);
  after.own = 40; // ticks are coarse: more of our own than of all
  EXPECT_EQ(foreignShare(before, after), 0);
  EXPECT_EQ(foreignShare(before, before), 0);
}

} // namespace
