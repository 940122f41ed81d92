// A file that is being written under another name beside its own: it gets its name when it is
// whole, and is removed if it never is.
#pragma once

#include "llmir/support/Error.h"
#include <string>

namespace llmir {

class PartialFile {
public:
  /// Makes an empty file PATH.XXXXXX.partial that only this user may read.
  static Expected<PartialFile> beside(const std::string &path);
  PartialFile(PartialFile &&other) noexcept;
  ~PartialFile();

  const std::string &path() const { return temporary; }
  /// Gives the file its own name; what lies there makes way.
  Status keep();

private:
  PartialFile() = default;
  std::string temporary, final;
};

inline constexpr const char *partialSuffix = ".partial";

} // namespace llmir
