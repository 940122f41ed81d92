// mmap behind MappedFile; private mapping, so that nothing we do can reach the user's file.
#include "llmir/support/MappedFile.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace llmir {

MappedFile::MappedFile(MappedFile &&other) noexcept { *this = std::move(other); }

MappedFile &MappedFile::operator=(MappedFile &&other) noexcept {
  std::swap(filePath, other.filePath);
  std::swap(fileInfo, other.fileInfo);
  std::swap(data, other.data);
  std::swap(size, other.size);
  return *this;
}

MappedFile::~MappedFile() {
  if (data)
    munmap(const_cast<uint8_t *>(data), size);
}

Expected<MappedFile> MappedFile::open(const std::string &path) {
  // Without O_NONBLOCK, opening a named pipe would wait for its writer.
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return fail("{}: cannot be opened: {}", path, std::strerror(errno));
  struct stat info{};
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    close(fd);
    return fail("{}: is not a regular file", path);
  }
  MappedFile file;
  file.filePath = path;
  file.fileInfo = info;
  if (info.st_size > 0) {
    void *address = mmap(nullptr, info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (address == MAP_FAILED) {
      int error = errno;
      close(fd);
      return fail("{}: cannot be mapped: {}", path, std::strerror(error));
    }
    file.data = static_cast<const uint8_t *>(address);
    file.size = info.st_size;
  }
  close(fd);
  return file;
}

} // namespace llmir
