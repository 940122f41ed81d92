// The header is a Python dictionary; of the forms that NumPy writes, one is taken.
#include "llmir/cli/NpyReader.h"

#include <bit>
#include <cerrno>
#include <cstring>
#include <regex>

namespace llmir {

static_assert(std::endian::native == std::endian::little, "the header says <f4");

Expected<NpyReader> NpyReader::open(const std::string &path) {
  FILE *file = fopen(path.c_str(), "rbe");
  if (!file)
    return fail("{}: cannot be read: {}", path, std::strerror(errno));
  NpyReader reader(path, file);
  if (Status status = reader.readHeader(); !status)
    return forward(status);
  return reader;
}

Status NpyReader::readHeader() {
  constexpr size_t maxHeader = 1 << 16;
  uint8_t start[12] = {};
  if (fread(start, 1, 10, file.get()) != 10 || std::memcmp(start, "\x93NUMPY", 6) != 0)
    return fail("{}: is no .npy file", path);
  size_t length = start[8] | size_t(start[9]) << 8;
  if (start[6] >= 2) { // the length has 32 bits
    if (fread(start + 10, 1, 2, file.get()) != 2)
      return fail("{}: ends in its header", path);
    length |= size_t(start[10]) << 16 | size_t(start[11]) << 24;
  }
  if (length > maxHeader)
    return fail("{}: has a header of {} bytes, at most {} is possible", path, length, maxHeader);
  std::string header(length, '\0');
  if (fread(header.data(), 1, length, file.get()) != length)
    return fail("{}: ends in its header", path);
  static const std::regex form(R"(\{'descr': '<f4', 'fortran_order': False, )"
                               R"('shape': \(([0-9]{1,15}), ([0-9]{1,15})\), \}\s*)");
  std::smatch found;
  if (!std::regex_match(header, found, form))
    return fail("{}: is no two-dimensional f32 array: save it with "
                "numpy.save(file, numpy.ascontiguousarray(logits, '<f4'))",
                path);
  rowCount = std::stoll(found[1]);
  columnCount = std::stoll(found[2]);
  return {};
}

Status NpyReader::read(std::span<float> values) {
  if (fread(values.data(), sizeof(float), values.size(), file.get()) != values.size())
    return fail("{}: ends before its {} rows of {} numbers", path, rowCount, columnCount);
  return {};
}

} // namespace llmir
