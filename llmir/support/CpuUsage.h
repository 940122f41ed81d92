// Who used the CPUs while something was measured: a figure taken beside a busy neighbour says
// little.
#pragma once

#include <optional>
#include <string>

namespace llmir {

/// CPU time of everybody since the system started, and of this process, in seconds.
struct CpuTimes {
  double busy = 0; ///< of the CPUs this process may run on
  double own = 0;
  double wall = 0;
  int cpus = 0;
};

/// Nothing where the system does not tell.
std::optional<CpuTimes> cpuTimes();

/// The share of the CPUs' time between the two that neither was idle nor this process's: 0 to 1.
double foreignShare(const CpuTimes &before, const CpuTimes &after);

/// Figures are marked where others took more than this share.
inline constexpr double noisyShare = 0.02;

/// Sums the lines "cpuN …" of a file as /proc/stat: the time, in ticks, of the CPUs that `counts`
/// wants.
struct CpuTicks {
  long long busy = 0;
  int cpus = 0;
};
CpuTicks busyTicks(const std::string &statFile, bool (*counts)(int cpu));

} // namespace llmir
