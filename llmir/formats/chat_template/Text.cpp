// See the header; Unicode's tables are ICU's.
#include "llmir/formats/chat_template/Text.h"
#include "llmir/formats/chat_template/Value.h"

#include <algorithm>
#include <fmt/format.h>
#include <unicode/locid.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

namespace llmir::jinja {

std::vector<std::string_view> characters(std::string_view text) {
  std::vector<std::string_view> result;
  for (size_t i = 0; i < text.size();) {
    size_t start = i;
    UChar32 c;
    U8_NEXT(text.data(), i, text.size(), c);
    if (c < 0)
      i = start + 1;
    result.push_back(text.substr(start, i - start));
  }
  return result;
}

uint32_t codePoint(std::string_view character) {
  size_t i = 0;
  UChar32 c;
  U8_NEXT(character.data(), i, character.size(), c);
  return c < 0 ? 0xDC00 | uint8_t(character[0]) : uint32_t(c);
}

bool isSpace(uint32_t code) {
  return (code >= 0x1C && code <= 0x1F) || u_hasBinaryProperty(UChar32(code), UCHAR_WHITE_SPACE);
}

std::string_view strip(std::string_view text, bool left, bool right, const std::string *set) {
  const auto drops = [&](std::string_view character) {
    return set ? set->find(character) != set->npos : isSpace(codePoint(character));
  };
  const std::vector<std::string_view> all = characters(text);
  size_t begin = 0, end = all.size();
  while (left && begin < end && drops(all[begin]))
    text.remove_prefix(all[begin++].size());
  while (right && begin < end && drops(all[end - 1]))
    text.remove_suffix(all[--end].size());
  return text;
}

static std::string utf8(const icu::UnicodeString &text) {
  std::string result;
  text.toUTF8String(result);
  return result;
}

static icu::UnicodeString utf16(std::string_view text) {
  return icu::UnicodeString::fromUTF8({text.data(), int32_t(text.size())});
}

std::string upper(std::string_view text) {
  return utf8(utf16(text).toUpper(icu::Locale::getRoot()));
}

std::string lower(std::string_view text) {
  return utf8(utf16(text).toLower(icu::Locale::getRoot()));
}

static std::string titleCased(std::string_view character) {
  return utf8(utf16(character).toTitle(nullptr, icu::Locale::getRoot()));
}

std::string capitalize(std::string_view text) {
  if (text.empty())
    return "";
  const size_t first = characters(text.substr(0, 4))[0].size();
  return titleCased(text.substr(0, first)) + lower(text.substr(first));
}

std::string title(std::string_view text, bool words) {
  std::string result;
  bool inside = false;
  for (std::string_view character : characters(text)) {
    const uint32_t code = codePoint(character);
    const bool separates =
        words ? isSpace(code) || std::string_view("-({[<").find(character) != std::string_view::npos
              : !u_isalpha(UChar32(code));
    result += inside ? lower(character) : words ? upper(character) : titleCased(character);
    inside = !separates;
  }
  return result;
}

std::string pythonQuoted(std::string_view text) {
  const bool doubled = text.find('\'') != text.npos && text.find('"') == text.npos;
  const char quote = doubled ? '"' : '\'';
  std::string result(1, quote);
  for (std::string_view character : characters(text)) {
    const uint32_t code = codePoint(character);
    if (code == '\\' || code == uint32_t(quote))
      result += std::string("\\") + char(code);
    else if (code == '\n')
      result += "\\n";
    else if (code == '\r')
      result += "\\r";
    else if (code == '\t')
      result += "\\t";
    else if (code == ' ' || u_isgraph(UChar32(code)))
      result += character;
    else
      result += code < 0x100     ? fmt::format("\\x{:02x}", code)
                : code < 0x10000 ? fmt::format("\\u{:04x}", code)
                                 : fmt::format("\\U{:08x}", code);
  }
  return result + quote;
}

std::string replaceAll(std::string_view text, std::string_view from, std::string_view to,
                       int64_t count, size_t limit) {
  std::string result;
  const auto add = [&](std::string_view part) {
    if (result.size() + part.size() > limit)
      throw Failure{fmt::format("a text is longer than {} bytes", limit)};
    result += part;
  };
  if (from.empty()) {
    for (std::string_view character : characters(text)) {
      if (count-- != 0)
        add(to);
      add(character);
    }
    if (count != 0)
      add(to);
    return result;
  }
  while (count-- != 0) {
    const size_t at = text.find(from);
    if (at == text.npos)
      break;
    add(text.substr(0, at));
    add(to);
    text.remove_prefix(at + from.size());
  }
  add(text);
  return result;
}

} // namespace llmir::jinja
