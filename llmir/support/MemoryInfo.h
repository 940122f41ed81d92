// How much memory this machine has and this process may use, and what the process takes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace llmir {

struct MemoryInfo {
  int64_t physical = 0;         ///< bytes of the machine; 0: unknown
  std::optional<int64_t> limit; ///< the lowest limit of the control groups above this process
  int64_t available = 0;        ///< bytes that can still be had, dropping what is only cached
};

MemoryInfo memoryInfo();

/// A memory control group.
struct MemoryGroup {
  int64_t limit = 0;
  int64_t used = 0; ///< without the page cache, which makes way
};

/// What the files of a group's folder say: memory.max (v2) or memory.limit_in_bytes (v1). Nothing
/// where there is no limit.
std::optional<MemoryGroup> memoryGroup(const std::string &folder);

/// Bytes of this process in memory, files it has mapped included: the most so far (VmHWM), and now
/// (VmRSS). 0 where the system tells none.
int64_t peakResidentBytes();
int64_t residentBytes();

} // namespace llmir
