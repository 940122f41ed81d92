// Reads /proc and /sys: no instruction is executed to find out whether it exists.
#include "llmir/support/CpuInfo.h"

#include "llmir/support/ControlGroup.h"
#include <algorithm>
#include <fstream>
#include <sched.h>
#include <sstream>

namespace llmir {

namespace {

/// The value of the first line of /proc/cpuinfo with one of these names.
std::string cpuInfoField(std::initializer_list<const char *> names) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    size_t colon = line.find(':');
    if (colon == std::string::npos)
      continue;
    std::string name = line.substr(0, line.find_last_not_of(" \t", colon - 1) + 1);
    if (std::find(names.begin(), names.end(), name) != names.end())
      return line.substr(std::min(line.size(), colon + 2));
  }
  return {};
}

int wholeCpus(double quota, double period) {
  return quota > 0 && period > 0 ? std::max(1, int(quota / period)) : 0;
}

int affinityCpus() {
  // Machines with more CPUs than cpu_set_t holds need a larger set.
  for (int capacity = CPU_SETSIZE; capacity <= 1 << 16; capacity *= 2) {
    cpu_set_t *set = CPU_ALLOC(capacity);
    size_t bytes = CPU_ALLOC_SIZE(capacity);
    int count = sched_getaffinity(0, bytes, set) == 0 ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (count > 0)
      return count;
  }
  return 1;
}

} // namespace

int quotaCpus(const std::string &folder) {
  double quota = 0, period = 0;
  if (std::ifstream file(folder + "/cpu.max"); file >> quota >> period) // "max 100000": no number
    return wholeCpus(quota, period);
  std::ifstream quotaFile(folder + "/cpu.cfs_quota_us");
  std::ifstream periodFile(folder + "/cpu.cfs_period_us");
  if (quotaFile >> quota && periodFile >> period)
    return wholeCpus(quota, period);
  return 0;
}

int usableCpus() {
  int count = affinityCpus();
  for (const std::string &folder : controlGroupFolders("cpu"))
    if (int limit = quotaCpus(folder); limit > 0)
      count = std::min(count, limit);
  return count;
}

int64_t cacheBytes(int level) {
  for (int index = 0; index < 16; ++index) {
    std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index);
    int itsLevel = 0;
    std::string type, unit;
    int64_t size = 0;
    std::ifstream(folder + "/level") >> itsLevel;
    std::ifstream(folder + "/type") >> type;
    std::ifstream(folder + "/size") >> size >> unit; // "32K"
    if (itsLevel == level && type != "Instruction" && size > 0)
      return unit == "K" ? size << 10 : unit == "M" ? size << 20 : size;
  }
  return 0;
}

const std::set<std::string> &cpuFlags() {
  static const std::set<std::string> flags = [] {
    std::istringstream words(cpuInfoField({"flags", "Features"}));
    std::set<std::string> result;
    for (std::string word; words >> word;)
      result.insert(word);
    return result;
  }();
  return flags;
}

std::string cpuModelName() {
  std::string name = cpuInfoField({"model name", "CPU part"});
  return name.empty() ? "unknown" : name;
}

} // namespace llmir
