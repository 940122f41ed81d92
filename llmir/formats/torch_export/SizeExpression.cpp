// A recursive descent over sympy's srepr.
#include "llmir/formats/torch_export/SizeExpression.h"

#include "llmir/support/Shown.h"
#include <algorithm>
#include <charconv>
#include <fmt/ranges.h>
#include <optional>

namespace llmir::torch_export {

namespace {

using Kind = SizeExpression::Kind;

constexpr int maxDepth = 32, maxParts = 256;
constexpr std::pair<std::string_view, Kind> functions[] = {
    {"Add", Kind::Add}, {"Mul", Kind::Mul}, {"FloorDiv", Kind::FloorDiv},
    {"Mod", Kind::Mod}, {"Max", Kind::Max}, {"Min", Kind::Min}};

class Parser {
public:
  explicit Parser(std::string_view text) : text(text), rest(text) {}

  Expected<SizeExpression> parse() {
    auto result = expression(0);
    if (result && !rest.empty())
      return wrong();
    return result;
  }

private:
  Expected<SizeExpression> expression(int depth) {
    if (depth > maxDepth || ++parts > maxParts)
      return fail("the size {} has more than {} levels or {} parts", shown(text), maxDepth,
                  maxParts);
    const std::string_view name = word();
    if (!take("("))
      return wrong();
    if (name == "Integer")
      return integer();
    if (name == "Symbol")
      return symbol();
    auto function = std::ranges::find(functions, name, &std::pair<std::string_view, Kind>::first);
    if (function == std::end(functions))
      return fail("the size {} has the function {}, known are Add, Mul, FloorDiv, Mod, Max and Min",
                  shown(text), shown(name));
    SizeExpression result{.kind = function->second};
    do {
      auto operand = expression(depth + 1);
      if (!operand)
        return operand;
      result.operands.push_back(std::move(*operand));
    } while (take(", "));
    const bool isBinary = result.kind == Kind::FloorDiv || result.kind == Kind::Mod;
    if (!take(")") || result.operands.size() < 2 || (isBinary && result.operands.size() != 2))
      return wrong();
    return result;
  }

  Expected<SizeExpression> integer() {
    int64_t value = 0;
    auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (error != std::errc())
      return wrong();
    rest.remove_prefix(end - rest.data());
    if (!take(")"))
      return wrong();
    return SizeExpression::integer(value);
  }

  /// Symbol('s27', positive=True, integer=True): what is assumed of it does not matter here.
  Expected<SizeExpression> symbol() {
    if (!take("'"))
      return wrong();
    const std::string_view name = word();
    if (name.empty() || !take("'"))
      return wrong();
    while (take(", "))
      if (word().empty() || !take("=") || word().empty())
        return wrong();
    if (!take(")"))
      return wrong();
    return SizeExpression{.kind = Kind::Symbol, .symbol = std::string(name)};
  }

  std::string_view word() {
    size_t length = 0;
    while (length < rest.size() &&
           (std::isalnum(static_cast<unsigned char>(rest[length])) || rest[length] == '_'))
      ++length;
    const std::string_view result = rest.substr(0, length);
    rest.remove_prefix(length);
    return result;
  }
  bool take(std::string_view token) {
    if (!rest.starts_with(token))
      return false;
    rest.remove_prefix(token.size());
    return true;
  }
  tl::unexpected<Error> wrong() const {
    return fail("the size {} is no expression of integers and symbols", shown(text));
  }

  std::string_view text, rest;
  int parts = 0;
};

} // namespace

std::string SizeExpression::text() const {
  if (kind == Kind::Integer)
    return fmt::format("{}", value);
  if (kind == Kind::Symbol)
    return symbol;
  std::vector<std::string> parts;
  for (const SizeExpression &operand : operands)
    parts.push_back(operand.text());
  if (kind != Kind::FloorDiv && kind != Kind::Mod)
    std::ranges::sort(parts);
  auto name = std::ranges::find(functions, kind, &std::pair<std::string_view, Kind>::second)->first;
  return fmt::format("{}({})", name, fmt::join(parts, ", "));
}

Expected<SizeExpression> parseSizeExpression(std::string_view text) { return Parser(text).parse(); }

bool SizeProduct::multiply(const SizeExpression &size) {
  if (size.isInteger())
    return !__builtin_mul_overflow(number, size.value, &number);
  if (size.kind == Kind::Mul)
    return std::ranges::all_of(size.operands, [&](const auto &part) { return multiply(part); });
  std::string factor = size.text();
  factors.insert(std::ranges::upper_bound(factors, factor), factor);
  return true;
}

bool SizeProduct::divides(const SizeProduct &other) const {
  return number != 0 && !(number == -1 && other.number == INT64_MIN) &&
         other.number % number == 0 && std::ranges::includes(other.factors, factors);
}

} // namespace llmir::torch_export
