// ANSI escapes; every terminal of today knows these.
#include "llmir/support/Terminal.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace llmir {

bool usesColor(std::string_view mode, int fd) {
  if (mode != "auto")
    return mode == "always";
  auto variable = [](const char *name) {
    const char *value = std::getenv(name);
    return std::string_view(value ? value : "");
  };
  return isatty(fd) && variable("NO_COLOR").empty() && variable("TERM") != "dumb";
}

int terminalWidth(int fd) {
  winsize size{};
  if (isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return std::clamp<int>(size.ws_col, 40, 120);
  return 100;
}

std::string Style::wrapped(std::string_view text, const char *code) const {
  return color ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

} // namespace llmir
