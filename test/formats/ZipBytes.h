// Zip archives put together byte by byte, so that every field can lie.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace llmir {

struct ZipFile {
  std::string path, bytes;
  int64_t size = -1; ///< claimed, unpacked; -1: as it is
  uint16_t method = 0, flags = 0;
  int64_t offset = -1; ///< claimed, of the local header; -1: as it is
};

inline void addNumber(std::string &out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i)
    out += static_cast<char>(value >> (8 * i));
}

inline std::string zipOf(const std::vector<ZipFile> &files) {
  std::string out, directory;
  for (const ZipFile &file : files) {
    const uint64_t start = out.size(), size = file.size < 0 ? file.bytes.size() : file.size;
    auto common = [&](std::string &to) {
      addNumber(to, 20, 2);
      addNumber(to, file.flags, 2);
      addNumber(to, file.method, 2);
      addNumber(to, 0, 8); // time, date, checksum: minizip compares the last only when it unpacks
      addNumber(to, file.bytes.size(), 4);
      addNumber(to, size, 4);
      addNumber(to, file.path.size(), 2);
      addNumber(to, 0, 2);
    };
    out += "PK\3\4";
    common(out);
    out += file.path + file.bytes;
    directory += "PK\1\2";
    addNumber(directory, 20, 2);
    common(directory);
    addNumber(directory, 0, 10);
    addNumber(directory, file.offset < 0 ? start : file.offset, 4);
    directory += file.path;
  }
  const uint64_t start = out.size();
  out += directory + "PK\5\6";
  addNumber(out, 0, 4);
  addNumber(out, files.size(), 2);
  addNumber(out, files.size(), 2);
  addNumber(out, directory.size(), 4);
  addNumber(out, start, 4);
  addNumber(out, 0, 2);
  return out;
}

} // namespace llmir
