// A lock between processes: who holds it does a piece of work that the others would repeat.
#pragma once

#include "llmir/support/Error.h"
#include <functional>
#include <string>

namespace llmir {

class FileLock {
public:
  /// Makes the file if need be and waits until nobody else holds its lock; `waiting` is called once
  /// if somebody does. A file system without locks locks nothing. Errors: the file cannot be made.
  static Expected<FileLock> acquire(const std::string &path, const std::function<void()> &waiting);
  FileLock(FileLock &&other) noexcept;
  /// Removes the file.
  ~FileLock();

private:
  FileLock(std::string path, int file) : path(std::move(path)), file(file) {}
  std::string path;
  int file;
};

} // namespace llmir
