// A limit on what this process may have, for tests of what cannot be had. In the test's own
// process, so that it is gone again before the program ends and writes what it counted (make
// coverage).
#pragma once

#include <csignal>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

namespace llmir {

/// While it lives, this process may use `most` of a resource of setrlimit.
class Limit {
public:
  Limit(__rlimit_resource_t resource, rlim_t most) : resource(resource) {
    std::signal(SIGXFSZ, SIG_IGN); // a file that gets too large is an error then
    EXPECT_EQ(getrlimit(resource, &before), 0);
    rlimit limit = before;
    limit.rlim_cur = most;
    EXPECT_EQ(setrlimit(resource, &limit), 0);
  }
  ~Limit() { EXPECT_EQ(setrlimit(resource, &before), 0); }
  Limit(const Limit &) = delete;

private:
  __rlimit_resource_t resource;
  rlimit before{};
};

/// While it lives, this process can map about `spare` bytes more than it has. Not for processes
/// under a sanitizer, which takes address space without end.
class LittleMemory : Limit {
public:
  explicit LittleMemory(size_t spare) : Limit(RLIMIT_AS, mapped() + spare) {}

private:
  static size_t mapped() {
    size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    return pages * size_t(sysconf(_SC_PAGESIZE));
  }
};

} // namespace llmir
