// Python's view of strings on UTF-8: code points, white space, case, quoting. A byte that is no
// UTF-8 counts as one character.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace llmir::jinja {

std::vector<std::string_view> characters(std::string_view text);
uint32_t codePoint(std::string_view character);

/// Strips characters of `set` (nullptr: white space) from the sides asked for.
std::string_view strip(std::string_view text, bool left, bool right,
                       const std::string *set = nullptr);

bool isSpace(uint32_t code);
std::string upper(std::string_view text);
std::string lower(std::string_view text);
std::string capitalize(std::string_view text);
/// str.title(): a capital after everything that is no letter; with `words`, Jinja's filter: only
/// after separators.
std::string title(std::string_view text, bool words);
std::string pythonQuoted(std::string_view text); // repr()
std::string replaceAll(std::string_view text, std::string_view from, std::string_view to,
                       int64_t count, size_t limit);

} // namespace llmir::jinja
