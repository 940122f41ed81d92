// NumPy's .npy files, written row by row: logits of a long text never lie in memory together.
// Source: numpy.lib.format, version 1.0.
#pragma once

#include "llmir/support/Error.h"
#include <cstdio>
#include <memory>
#include <span>
#include <string>

namespace llmir {

class NpyWriter {
public:
  /// An f32 array of the shape [rows, columns]. Errors: the file cannot be made.
  static Expected<NpyWriter> create(const std::string &path, int64_t rows, int64_t columns);

  Status write(std::span<const float> values);
  /// Ends the file; errors that the system reports late show up here.
  Status close();

private:
  struct Closer {
    void operator()(FILE *file) const { fclose(file); }
  };
  NpyWriter(std::string path, FILE *file) : path(std::move(path)), file(file) {}
  Status put(const void *data, size_t bytes);

  std::string path;
  std::unique_ptr<FILE, Closer> file;
};

} // namespace llmir
