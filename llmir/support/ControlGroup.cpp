// Reads /proc/self/cgroup: "0::/path" is v2, "7:cpu,cpuacct:/path" is v1.
#include "llmir/support/ControlGroup.h"

#include <fstream>

namespace llmir {

std::vector<std::string> controlGroupFolders(const std::string &controller) {
  std::vector<std::string> folders;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos)
      continue;
    std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    std::string path = line.substr(second + 1), root = "/sys/fs/cgroup";
    if (controllers != ",,") {
      if (controllers.find("," + controller + ",") == std::string::npos)
        continue;
      root += "/" + controller;
    }
    // Inside a container the path may lie outside of what is mounted, and the root is what counts.
    while (true) {
      folders.push_back(root + path);
      if (path.empty())
        break;
      path.resize(path.find_last_of('/'));
    }
  }
  return folders;
}

} // namespace llmir
