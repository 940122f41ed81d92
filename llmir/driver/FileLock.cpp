// flock, which the kernel gives back when a process ends, however it ends.
#include "llmir/driver/FileLock.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace llmir {

/// Whether `path` still names the open file: its holder before us may have removed it.
static bool isStillThere(int file, const std::string &path) {
  struct stat ours{}, named{};
  return fstat(file, &ours) == 0 && stat(path.c_str(), &named) == 0 &&
         ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

Expected<FileLock> FileLock::acquire(const std::string &path,
                                     const std::function<void()> &waiting) {
  bool hasWaited = false;
  while (true) {
    int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0)
      return fail("{}: cannot be written: {}", path, std::strerror(errno));
    FileLock lock(path, file);
    if (flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      if (!std::exchange(hasWaited, true))
        waiting();
      while (flock(file, LOCK_EX) != 0 && errno == EINTR)
        ;
    }
    if (isStillThere(file, path))
      return lock;
    close(std::exchange(lock.file, -1));
  }
}

FileLock::FileLock(FileLock &&other) noexcept
    : path(std::move(other.path)), file(std::exchange(other.file, -1)) {}

FileLock::~FileLock() {
  if (file < 0)
    return;
  unlink(path.c_str()); // while it is held: nobody else can have made a new one
  close(file);
}

} // namespace llmir
