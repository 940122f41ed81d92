// mkstemp, then rename: readers see the old file or the new one, never half of it.
#include "llmir/driver/PartialFile.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace llmir {

Expected<PartialFile> PartialFile::beside(const std::string &path) {
  PartialFile file;
  file.final = path;
  std::string pattern = path + ".XXXXXX" + partialSuffix;
  int fd = mkostemps(pattern.data(), int(std::strlen(partialSuffix)), O_CLOEXEC);
  if (fd < 0)
    return fail("{}: cannot be written: {}", path, std::strerror(errno));
  close(fd);
  file.temporary = std::move(pattern);
  return file;
}

PartialFile::PartialFile(PartialFile &&other) noexcept
    : temporary(std::exchange(other.temporary, {})), final(std::move(other.final)) {}

PartialFile::~PartialFile() {
  if (!temporary.empty())
    unlink(temporary.c_str());
}

Status PartialFile::keep() {
  if (std::rename(temporary.c_str(), final.c_str()) != 0)
    return fail("{}: cannot be written: {}", final, std::strerror(errno));
  temporary.clear();
  return {};
}

} // namespace llmir
