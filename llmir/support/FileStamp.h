// Size and time of a file, or of several together: whether a model is still what it was when it was
// looked at.
#pragma once

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <sys/stat.h>

namespace llmir {

/// Since 1970.
inline int64_t nanoseconds(const timespec &time) {
  return int64_t(time.tv_sec) * 1000000000 + time.tv_nsec;
}

struct FileStamp {
  int64_t bytes = 0; ///< of all files
  int64_t time = 0;  ///< nanoseconds() of the last change of any

  void add(const struct stat &info) {
    bytes += info.st_size;
    time = std::max(time, nanoseconds(info.st_mtim));
  }
  bool operator==(const FileStamp &) const = default;
};

} // namespace llmir
