// stdio, whose late errors show in fclose.
#include "llmir/cli/TextFile.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace llmir {

Status writeText(const std::string &path, std::string_view text) {
  const bool isStdout = path == "-";
  FILE *file = isStdout ? stdout : fopen(path.c_str(), "we");
  bool written = file && fwrite(text.data(), 1, text.size(), file) == text.size();
  if (file)
    written &= (isStdout ? fflush(file) : fclose(file)) == 0;
  if (!written)
    return fail("{}: cannot be written: {}", isStdout ? "stdout" : path, std::strerror(errno));
  return {};
}

} // namespace llmir
