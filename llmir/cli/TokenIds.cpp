// A scanner for numbers that always knows where it is.
#include "llmir/cli/TokenIds.h"

#include "llmir/support/Text.h"
#include <charconv>

namespace llmir {

Expected<std::vector<int32_t>> parseTokenIds(std::string_view text, const std::string &name,
                                             int64_t vocabulary) {
  constexpr std::string_view separators = " \t\r\n,";
  std::vector<int32_t> ids;
  size_t line = 1, lineStart = 0;
  for (size_t at = 0; at < text.size();) {
    if (separators.find(text[at]) != std::string_view::npos) {
      if (text[at] == '\n') {
        ++line;
        lineStart = at + 1;
      }
      ++at;
      continue;
    }
    std::string_view word = text.substr(at);
    word = word.substr(0, word.find_first_of(separators));
    int64_t id = -1;
    auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), id);
    if (code != std::errc() || end != word.data() + word.size() || id < 0 || id >= vocabulary)
      return fail("{}: line {}, column {}: {} is no token id; ids are whole numbers from 0 to {}",
                  name, line, at - lineStart + 1, inQuotes(word), vocabulary - 1);
    ids.push_back(int32_t(id));
    at += word.size();
  }
  if (ids.empty())
    return fail("{}: holds no token ids; decimal numbers are expected", name);
  return ids;
}

} // namespace llmir
