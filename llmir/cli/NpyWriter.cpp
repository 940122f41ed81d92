// Header and raw little-endian floats.
#include "llmir/cli/NpyWriter.h"

#include <bit>
#include <cerrno>
#include <cstring>

namespace llmir {

static_assert(std::endian::native == std::endian::little, "the header says <f4");

Expected<NpyWriter> NpyWriter::create(const std::string &path, int64_t rows, int64_t columns) {
  FILE *file = fopen(path.c_str(), "wbe");
  if (!file)
    return fail("{}: cannot be written: {}", path, std::strerror(errno));
  NpyWriter writer(path, file);
  std::string header =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, columns);
  constexpr size_t prefix = 10; // magic, version, length; data begins at a multiple of 64
  header.append(63 - (prefix + header.size()) % 64, ' ');
  header += '\n';
  std::string start("\x93NUMPY\x01\x00", 8);
  start += char(header.size() & 255);
  start += char(header.size() >> 8);
  start += header;
  if (Status status = writer.put(start.data(), start.size()); !status)
    return forward(status);
  return writer;
}

Status NpyWriter::write(std::span<const float> values) {
  return put(values.data(), values.size_bytes());
}

Status NpyWriter::put(const void *data, size_t bytes) {
  if (fwrite(data, 1, bytes, file.get()) != bytes)
    return fail("{}: cannot be written: {}", path, std::strerror(errno));
  return {};
}

Status NpyWriter::close() {
  if (fclose(file.release()) != 0)
    return fail("{}: cannot be written: {}", path, std::strerror(errno));
  return {};
}

} // namespace llmir
