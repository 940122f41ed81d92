// What this machine is and how much of it this process may use.
#pragma once

#include <cstdint>
#include <set>
#include <string>

namespace llmir {

/// Threads that can really run at once: the affinity mask, limited by the CPU quota of the control
/// group (v1 and v2, whole CPUs, at least 1).
int usableCpus();

/// CPUs that the quota files under a control group's folder allow, or 0 for no limit: `cpu.max`
/// (v2) or `cpu.cfs_quota_us` and `cpu.cfs_period_us` (v1).
int quotaCpus(const std::string &controlGroupFolder);

/// Bytes of a data cache of the first CPU, of level 1 to 3, or 0 where the system does not tell.
int64_t cacheBytes(int level);

/// The flags of /proc/cpuinfo ("flags" on x86, "Features" on Arm): what CPU and kernel support.
const std::set<std::string> &cpuFlags();

/// The CPU's name for people and cache keys; "unknown" where the system tells none.
std::string cpuModelName();

} // namespace llmir
