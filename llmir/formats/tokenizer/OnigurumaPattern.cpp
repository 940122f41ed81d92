// One pass over the pattern, which knows escapes and brackets and nothing else.
#include "llmir/formats/tokenizer/OnigurumaPattern.h"

#include <algorithm>

namespace llmir {

/// What Oniguruma calls \w. ICU has the joiners too, but not the small digits and fractions.
#define WORD "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u00B2\\u00B3\\u00B9\\u00BC-\\u00BE"

namespace {

class Translation {
public:
  explicit Translation(std::string_view pattern) : rest(pattern) {}

  Expected<std::string> run();

private:
  std::string_view take(size_t count) {
    const std::string_view taken = rest.substr(0, count);
    rest.remove_prefix(taken.size());
    return taken;
  }
  Status takeEscape();
  Status takeBrace();
  Status takeGroupOptions();

  std::string_view rest;
  std::string result;
  int depth = 0; // of brackets
};

} // namespace

Status Translation::takeEscape() {
  const char kind = rest.size() > 1 ? rest[1] : '\0';
  // Matching a group's text again takes time that no budget counts.
  if (kind == 'k' || (kind >= '1' && kind <= '9'))
    return fail("\\{} is not supported", kind);
  switch (kind) {
  case 's': // ICU runs a loop over a bracketed set in constant stack
  case 'S':
  case 'd':
  case 'D':
    result += depth > 0 ? std::string(take(2)) : fmt::format("[{}]", take(2));
    return {};
  case 'w':
    take(2);
    result += "[" WORD "]";
    return {};
  case 'W':
    take(2);
    result += "[^" WORD "]";
    return {};
  case 'h': // a hexadecimal digit; white space to ICU
    take(2);
    result += depth > 0 ? "0-9a-fA-F" : "[0-9a-fA-F]";
    return {};
  case 'v': // one character; a class to ICU
    take(2);
    result += "\\u000B";
    return {};
  case 'b': // in brackets a backspace to both
  case 'B':
    if (depth > 0)
      break;
    take(2);
    result += kind == 'b' ? "(?:(?<=[" WORD "])(?![" WORD "])|(?<![" WORD "])(?=[" WORD "]))"
                          : "(?:(?<=[" WORD "])(?=[" WORD "])|(?<![" WORD "])(?![" WORD "]))";
    return {};
  case 'p':
  case 'P':
  case 'x':
    if (rest.size() > 2 && rest[2] == '{') {
      result += take(std::min(rest.find('}'), rest.size() - 1) + 1);
      return {};
    }
    break;
  case 'H':
  case 'N':
  case 'Q':
    return fail("\\{} is not supported", kind);
  default:
    break;
  }
  result += take(2);
  return {};
}

/// Braces are a repetition where they look like one, else themselves.
Status Translation::takeBrace() {
  size_t end = 1, commas = 0, digits = 0;
  for (; rest[0] == '{' && end < rest.size(); ++end) {
    if (rest[end] == ',')
      ++commas;
    else if (rest[end] >= '0' && rest[end] <= '9')
      ++digits;
    else
      break;
  }
  if (rest[0] != '{' || end == rest.size() || rest[end] != '}' || commas > 1 || digits == 0) {
    result.append("\\").append(take(1));
    return {};
  }
  if (rest[1] == ',')
    return fail("a repetition {{,n}} without a lower limit is not supported");
  if (end + 1 < rest.size() && rest[end + 1] == '+')
    return fail("a repetition {{m,n}}+ of a repetition is not supported");
  result += take(end + 1);
  return {};
}

/// Of (?imx-imx): m lets a dot match line ends there, which ICU calls s.
Status Translation::takeGroupOptions() {
  const size_t end = std::min(rest.find_first_not_of("imx-", 2), rest.size());
  if (end < rest.size() && (rest[end] == ')' || rest[end] == ':'))
    for (char option : rest.substr(2, end - 2))
      if (option == 'm' || option == 'x')
        return fail("the option {} is not supported", option);
  result += take(2);
  return {};
}

Expected<std::string> Translation::run() {
  while (!rest.empty()) {
    const char c = rest.front();
    Status status;
    if (c == '\\') {
      status = takeEscape();
    } else if (depth == 0 && (c == '{' || c == '}')) {
      status = takeBrace();
    } else if (depth == 0 && rest.starts_with("(?")) {
      status = takeGroupOptions();
    } else {
      depth += c == '[' ? 1 : c == ']' && depth > 0 ? -1 : 0;
      result += take(1);
    }
    if (!status)
      return forward(status);
  }
  return std::move(result);
}

Expected<std::string> toIcuPattern(std::string_view pattern) { return Translation(pattern).run(); }

} // namespace llmir
