// When to write for eyes: colours only where a terminal shows them.
#pragma once

#include <string>
#include <string_view>

namespace llmir {

/// Whether to colour what goes to the file descriptor `fd`. `mode` is "always", "never" or "auto":
/// on a terminal that is not dumb, unless NO_COLOR is set (no-color.org).
bool usesColor(std::string_view mode, int fd);

/// Columns of the terminal at `fd`; 100 where it is none.
int terminalWidth(int fd);

/// Styles text, or leaves it as it is.
struct Style {
  bool color = false;

  std::string bold(std::string_view text) const { return wrapped(text, "1"); }
  std::string dim(std::string_view text) const { return wrapped(text, "2"); }
  std::string red(std::string_view text) const { return wrapped(text, "1;31"); }
  std::string cyan(std::string_view text) const { return wrapped(text, "36"); }

private:
  std::string wrapped(std::string_view text, const char *code) const;
};

} // namespace llmir
