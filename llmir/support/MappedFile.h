// A read-only memory-mapped file: model files and artifacts are read through it, never copied
// whole.
#pragma once

#include "llmir/support/Error.h"
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <sys/stat.h>

namespace llmir {

class MappedFile {
public:
  MappedFile() = default;
  MappedFile(MappedFile &&other) noexcept;
  MappedFile &operator=(MappedFile &&other) noexcept;
  ~MappedFile();

  /// Maps the whole of a regular file. An empty file gives an empty span. Errors name the path and
  /// the cause.
  static Expected<MappedFile> open(const std::string &path);

  std::span<const uint8_t> bytes() const { return {data, size}; }
  const std::string &path() const { return filePath; }
  /// Owner, rights and times of the file that is mapped, whatever lies at the path by now.
  const struct stat &info() const { return fileInfo; }

private:
  std::string filePath;
  struct stat fileInfo{};
  const uint8_t *data = nullptr;
  size_t size = 0;
};

} // namespace llmir
