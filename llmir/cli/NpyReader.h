// NumPy's .npy files, read row by row: what another program computed, to compare with. Source:
// numpy.lib.format, versions 1.0 to 3.0.
#pragma once

#include "llmir/support/Error.h"
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>

namespace llmir {

class NpyReader {
public:
  /// A two-dimensional f32 array in C order. Errors name the file and say how to save such an
  /// array.
  static Expected<NpyReader> open(const std::string &path);

  int64_t rows() const { return rowCount; }
  int64_t columns() const { return columnCount; }

  /// The next values.size() / columns() rows. Errors: the file ends.
  Status read(std::span<float> values);

private:
  struct Closer {
    void operator()(FILE *file) const { fclose(file); }
  };
  NpyReader(std::string path, FILE *file) : path(std::move(path)), file(file) {}
  Status readHeader();

  std::string path;
  std::unique_ptr<FILE, Closer> file;
  int64_t rowCount = 0, columnCount = 0;
};

} // namespace llmir
