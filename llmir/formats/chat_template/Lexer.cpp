// See the header.
#include "llmir/formats/chat_template/Lexer.h"
#include "llmir/formats/chat_template/Text.h"
#include "llmir/formats/chat_template/Value.h"

#include <algorithm>
#include <fmt/format.h>

namespace llmir::jinja {

namespace {
class Lexer {
public:
  explicit Lexer(std::string_view source) : source(source) {}
  std::vector<Token> run();

private:
  void text();
  void comment();
  bool raw();
  void tag(bool block);
  void token(bool block);
  void string(char quote);
  void number();
  void closeTag(size_t length, bool stripAll, bool keepNewline, bool trims);
  bool at(std::string_view expected) const { return source.substr(position).starts_with(expected); }
  void advance(size_t count) {
    line += int(std::ranges::count(source.substr(position, count), '\n'));
    position += count;
  }
  void add(TokenKind kind, std::string text = {}) {
    tokens.push_back({kind, std::move(text), line});
  }
  [[noreturn]] void failure(std::string message) const { throw Failure{std::move(message), line}; }

  std::string_view source;
  size_t position = 0;
  int line = 1;
  bool lineStarts = true, stripNext = false;
  std::vector<Token> tokens;
};
} // namespace

static bool nameStarts(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80);
}
static bool isDigit(char c) { return c >= '0' && c <= '9'; }

std::vector<Token> Lexer::run() {
  while (position < source.size())
    text();
  add(TokenKind::End);
  return std::move(tokens);
}

void Lexer::text() {
  size_t end = position;
  while (end < source.size() &&
         !(source[end] == '{' && end + 1 < source.size() &&
           (source[end + 1] == '{' || source[end + 1] == '%' || source[end + 1] == '#')))
    ++end;
  std::string_view piece = source.substr(position, end - position);
  const bool tagFollows = end < source.size();
  const char mark = end + 2 < source.size() ? source[end + 2] : ' ';
  std::string_view shown = piece;
  if (stripNext)
    shown = strip(shown, true, false);
  if (tagFollows && mark == '-') {
    shown = strip(shown, false, true);
  } else if (tagFollows && source[end + 1] != '{' && mark != '+') {
    const size_t newline = shown.rfind('\n');
    const size_t start = newline == shown.npos ? 0 : newline + 1;
    if ((start > 0 || lineStarts) && strip(shown.substr(start), true, false).empty())
      shown = shown.substr(0, start);
  }
  if (!shown.empty())
    add(TokenKind::Text, std::string(shown));
  stripNext = false;
  advance(piece.size());
  if (!tagFollows)
    return;
  if (source[position + 1] == '#')
    comment();
  else if (!(source[position + 1] == '%' && raw()))
    tag(source[position + 1] == '%');
}

void Lexer::closeTag(size_t length, bool stripAll, bool keepNewline, bool trims) {
  advance(length);
  stripNext = stripAll;
  lineStarts = false;
  if (trims && !stripAll && !keepNewline && at("\n")) {
    advance(1);
    lineStarts = true;
  }
}

void Lexer::comment() {
  const size_t end = source.find("#}", position + 2);
  if (end == source.npos)
    failure("a comment {# does not end");
  const char mark = source[end - 1];
  const bool marked = end - 1 > position + 1;
  closeTag(end + 2 - position, marked && mark == '-', marked && mark == '+', true);
}

/// {% raw %} ... {% endraw %}: true when one was here.
bool Lexer::raw() {
  const auto blockNamed = [&](size_t from, std::string_view name, size_t &end) {
    size_t i = from + 2;
    if (i < source.size() && (source[i] == '-' || source[i] == '+'))
      ++i;
    while (i < source.size() && isSpace(uint8_t(source[i])))
      ++i;
    if (!source.substr(i).starts_with(name))
      return false;
    i += name.size();
    while (i < source.size() && isSpace(uint8_t(source[i])))
      ++i;
    if (i < source.size() && (source[i] == '-' || source[i] == '+'))
      ++i;
    end = i + 2;
    return source.substr(i).starts_with("%}");
  };
  size_t end;
  if (!blockNamed(position, "raw", end))
    return false;
  closeTag(end - position, source[end - 3] == '-', source[end - 3] == '+', true);
  for (size_t i = source.find("{%", position); i != source.npos; i = source.find("{%", i + 2)) {
    if (!blockNamed(i, "endraw", end))
      continue;
    std::string_view body = source.substr(position, i - position);
    if (stripNext)
      body = strip(body, true, false);
    if (source[i + 2] == '-')
      body = strip(body, false, true);
    else if (const size_t newline = body.rfind('\n');
             newline != body.npos && strip(body.substr(newline), true, false).empty())
      body = body.substr(0, newline + 1);
    add(TokenKind::Text, std::string(body));
    closeTag(end - position, source[end - 3] == '-', source[end - 3] == '+', true);
    return true;
  }
  failure("a raw block does not end");
}

void Lexer::tag(bool block) {
  add(block ? TokenKind::BlockBegin : TokenKind::PrintBegin);
  advance(2);
  if (at("-") || at("+"))
    advance(1);
  const std::string_view close = block ? "%}" : "}}";
  const int begin = line;
  std::string open; // brackets
  while (true) {
    while (position < source.size() && isSpace(uint8_t(source[position])))
      advance(1);
    if (position >= source.size())
      throw Failure{fmt::format("a tag does not end with {}", close), begin};
    if (open.empty()) {
      const bool marked = at("-") || (block && at("+"));
      if (source.substr(position + marked).starts_with(close)) {
        add(block ? TokenKind::BlockEnd : TokenKind::PrintEnd);
        closeTag(marked + 2, marked && at("-"), marked && at("+"), block);
        return;
      }
    }
    const char c = source[position];
    if (c == '(' || c == '[' || c == '{')
      open += c == '(' ? ')' : c == '[' ? ']' : '}';
    else if (c == ')' || c == ']' || c == '}') {
      if (open.empty() || open.back() != c)
        failure(fmt::format("unexpected '{}'", c));
      open.pop_back();
    }
    token(block);
  }
}

void Lexer::token(bool) {
  const char c = source[position];
  if (c == '"' || c == '\'')
    return string(c);
  if (isDigit(c))
    return number();
  if (nameStarts(c)) {
    size_t end = position;
    while (end < source.size() && (nameStarts(source[end]) || isDigit(source[end])))
      ++end;
    add(TokenKind::Name, std::string(source.substr(position, end - position)));
    return advance(end - position);
  }
  for (std::string_view symbol : {"==", "!=", "<=", ">=", "**", "//"})
    if (at(symbol)) {
      add(TokenKind::Symbol, std::string(symbol));
      return advance(2);
    }
  if (std::string_view("+-*/%~<>=()[]{}.,:|").find(c) == std::string_view::npos)
    failure(
        fmt::format("unexpected character '{}'", c >= 0x20 && c < 0x7F ? std::string(1, c) : "?"));
  add(TokenKind::Symbol, std::string(1, c));
  advance(1);
}

void Lexer::number() {
  size_t end = position;
  bool isFloat = false;
  const auto digits = [&] {
    while (end < source.size() && (isDigit(source[end]) || source[end] == '_'))
      ++end;
  };
  digits();
  if (end + 1 < source.size() && source[end] == '.' && isDigit(source[end + 1])) {
    isFloat = true;
    ++end;
    digits();
  }
  if (end < source.size() && (source[end] == 'e' || source[end] == 'E')) {
    size_t after = end + 1;
    if (after < source.size() && (source[after] == '+' || source[after] == '-'))
      ++after;
    if (after < source.size() && isDigit(source[after])) {
      isFloat = true;
      end = after;
      digits();
    }
  }
  std::string text(source.substr(position, end - position));
  std::erase(text, '_');
  add(isFloat ? TokenKind::Float : TokenKind::Integer, text);
  advance(end - position);
}

static void appendUtf8(std::string &text, uint32_t code) {
  if (code < 0x80) {
    text += char(code);
  } else if (code < 0x800) {
    text += char(0xC0 | code >> 6);
    text += char(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    text += char(0xE0 | code >> 12);
    text += char(0x80 | (code >> 6 & 0x3F));
    text += char(0x80 | (code & 0x3F));
  } else {
    text += char(0xF0 | code >> 18);
    text += char(0x80 | (code >> 12 & 0x3F));
    text += char(0x80 | (code >> 6 & 0x3F));
    text += char(0x80 | (code & 0x3F));
  }
}

void Lexer::string(char quote) {
  std::string text;
  size_t i = position + 1;
  for (; i < source.size() && source[i] != quote; ++i) {
    if (source[i] != '\\') {
      text += source[i];
      continue;
    }
    if (++i >= source.size())
      break;
    static constexpr std::string_view letters = "ntrabfv\\'\"", meant = "\n\t\r\a\b\f\v\\'\"";
    const char c = source[i];
    if (size_t known = letters.find(c); known != letters.npos) {
      text += meant[known];
    } else if (c == '\n') {
      continue;
    } else if (c == 'x' || c == 'u' || c == 'U') {
      const size_t count = c == 'x' ? 2 : c == 'u' ? 4 : 8;
      uint32_t code = 0;
      for (size_t k = 1; k <= count; ++k) {
        const char digit = i + k < source.size() ? source[i + k] : ' ';
        if (!isxdigit(uint8_t(digit)))
          failure("an escape in a string has too few hexadecimal digits");
        code = code << 4 | uint32_t(isDigit(digit) ? digit - '0' : (digit | 0x20) - 'a' + 10);
      }
      if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
        failure("an escape in a string is no Unicode character");
      appendUtf8(text, code);
      i += count;
    } else if (c >= '0' && c <= '7') {
      uint32_t code = 0;
      size_t k = 0;
      for (; k < 3 && i + k < source.size() && source[i + k] >= '0' && source[i + k] <= '7'; ++k)
        code = code * 8 + uint32_t(source[i + k] - '0');
      appendUtf8(text, code);
      i += k - 1;
    } else {
      text += '\\';
      text += c;
    }
  }
  if (i >= source.size())
    failure("a string does not end");
  add(TokenKind::String, std::move(text));
  advance(i + 1 - position);
}

std::vector<Token> tokenize(std::string_view source) { return Lexer(source).run(); }

} // namespace llmir::jinja
