// Address space that is nearly used up, for tests of what happens then. Not for processes under a
// sanitizer, which takes address space without end.
#pragma once

#include <fstream>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

namespace llmir {

/// While it lives, this process can map about `spare` bytes more than it has.
class LittleMemory {
public:
  explicit LittleMemory(size_t spare) {
    EXPECT_EQ(getrlimit(RLIMIT_AS, &before), 0);
    size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit limit = before;
    limit.rlim_cur = pages * size_t(sysconf(_SC_PAGESIZE)) + spare;
    EXPECT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
  }
  ~LittleMemory() { EXPECT_EQ(setrlimit(RLIMIT_AS, &before), 0); }
  LittleMemory(const LittleMemory &) = delete;

private:
  rlimit before{};
};

} // namespace llmir
