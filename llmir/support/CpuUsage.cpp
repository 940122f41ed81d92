// /proc/stat for everybody, getrusage for this process.
#include "llmir/support/CpuUsage.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sched.h>
#include <sstream>
#include <sys/resource.h>
#include <unistd.h>

namespace llmir {

namespace {

/// Machines with more CPUs than cpu_set_t holds count all of them.
bool isUsable(int cpu) {
  cpu_set_t set;
  return cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof set, &set) != 0 || CPU_ISSET(cpu, &set);
}

double seconds(const timeval &time) { return double(time.tv_sec) + 1e-6 * double(time.tv_usec); }

} // namespace

CpuTicks busyTicks(const std::string &statFile, bool (*counts)(int cpu)) {
  CpuTicks ticks;
  std::ifstream file(statFile);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("cpu") || line.size() < 4 || line[3] < '0' || line[3] > '9')
      continue;
    std::istringstream fields(line.substr(3));
    // user (guests included), nice, system, idle, waiting, interrupts, soft interrupts, stolen
    long long value[8] = {};
    int cpu = 0;
    fields >> cpu;
    for (long long &field : value)
      fields >> field;
    if (!counts(cpu))
      continue;
    ticks.busy += value[0] + value[1] + value[2] + value[5] + value[6] + value[7];
    ++ticks.cpus;
  }
  return ticks;
}

std::optional<CpuTimes> cpuTimes() {
  CpuTicks ticks = busyTicks("/proc/stat", isUsable);
  if (ticks.busy == 0)
    return std::nullopt;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  return CpuTimes{double(ticks.busy) / double(sysconf(_SC_CLK_TCK)),
                  seconds(usage.ru_utime) + seconds(usage.ru_stime),
                  std::chrono::duration<double>(now).count(), ticks.cpus};
}

double foreignShare(const CpuTimes &before, const CpuTimes &after) {
  double available = (after.wall - before.wall) * after.cpus;
  if (available <= 0)
    return 0;
  double foreign = (after.busy - before.busy) - (after.own - before.own);
  return std::clamp(foreign / available, 0.0, 1.0);
}

} // namespace llmir
