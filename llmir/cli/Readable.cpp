// Numbers and names as tables show them.
#include "llmir/cli/Readable.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace llmir {

std::string scaled(double value, const char *unit) {
  const char *prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
  size_t prefix = 0;
  for (; value >= 999.95 && prefix + 1 < std::size(prefixes); ++prefix)
    value /= 1000;
  return fmt::format("{:.{}f} {}{}", value,
                     prefix == 0     ? 0
                     : value < 9.995 ? 2
                                     : 1,
                     prefixes[prefix], unit);
}

std::string exact(int64_t value) {
  std::string digits = fmt::format("{}", value);
  for (int64_t at = int64_t(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(size_t(at), ",");
  return digits;
}

std::string oneLine(std::string_view text) {
  std::string quoted =
      nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::string safe;
  for (char c : quoted.substr(1, quoted.size() - 2))
    safe += c == 127 ? '?' : c;
  return safe;
}

} // namespace llmir
