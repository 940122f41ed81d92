// Reads /proc and /sys.
#include "llmir/support/MemoryInfo.h"

#include "llmir/support/ControlGroup.h"
#include <algorithm>
#include <fstream>
#include <limits>

namespace llmir {

namespace {

/// The number behind `name` in a file of lines "name 123" or "name: 123 kB".
std::optional<int64_t> numberIn(const std::string &path, const std::string &name) {
  std::ifstream file(path);
  for (std::string word; file >> word;) {
    if (word == name || word == name + ":")
      if (int64_t value = 0; file >> value)
        return value;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return std::nullopt;
}

std::optional<int64_t> numberOf(const std::string &path) {
  std::ifstream file(path);
  if (int64_t value = 0; file >> value) // "max" is no number
    return value;
  return std::nullopt;
}

int64_t statusBytes(const char *name) {
  return numberIn("/proc/self/status", name).value_or(0) * 1024;
}

} // namespace

std::optional<MemoryGroup> memoryGroup(const std::string &folder) {
  constexpr int64_t unlimited = int64_t(1) << 60; // v1 writes a number near 2^63
  auto group = [&](const char *limitFile, const char *usageFile,
                   const std::string &prefix) -> std::optional<MemoryGroup> {
    auto limit = numberOf(folder + limitFile);
    if (!limit || *limit >= unlimited)
      return std::nullopt;
    int64_t cached = 0;
    for (const char *name : {"active_file", "inactive_file"})
      cached += numberIn(folder + "/memory.stat", prefix + name).value_or(0);
    int64_t usage = numberOf(folder + usageFile).value_or(0);
    return MemoryGroup{*limit, std::max<int64_t>(0, usage - cached)};
  };
  if (auto v2 = group("/memory.max", "/memory.current", ""))
    return v2;
  return group("/memory.limit_in_bytes", "/memory.usage_in_bytes", "total_");
}

MemoryInfo memoryInfo() {
  MemoryInfo info;
  info.physical = numberIn("/proc/meminfo", "MemTotal").value_or(0) * 1024;
  info.available = numberIn("/proc/meminfo", "MemAvailable").value_or(0) * 1024;
  for (const std::string &folder : controlGroupFolders("memory"))
    if (auto group = memoryGroup(folder)) {
      info.limit = std::min(group->limit, info.limit.value_or(group->limit));
      info.available = std::min(info.available, std::max<int64_t>(0, group->limit - group->used));
    }
  return info;
}

int64_t peakResidentBytes() { return statusBytes("VmHWM"); }

int64_t residentBytes() { return statusBytes("VmRSS"); }

} // namespace llmir
