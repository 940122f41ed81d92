// The control groups (cgroups) that this process is in: where the limits on its CPUs and memory
// stand.
#pragma once

#include <string>
#include <vector>

namespace llmir {

/// The folders that may hold the files of `controller` ("cpu", "memory") for this process: its own
/// group's first, then those above, whose limits hold too. v1 and v2.
std::vector<std::string> controlGroupFolders(const std::string &controller);

} // namespace llmir
