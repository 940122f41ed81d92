// The filters of Jinja that chat templates use, by name, with jinja2's results (tojson as
// transformers sets it up).
#include "llmir/formats/chat_template/Evaluator.h"
#include "llmir/formats/chat_template/Text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <list>
#include <map>

namespace llmir::jinja {

using Filter = Value (*)(Evaluator &, const Value &, Arguments &);

#define FILTER [](Evaluator & evaluator, const Value &value, Arguments &given)->Value

static std::string textOf(Evaluator &evaluator, const Value &value) {
  std::string text = toText(value, evaluator.textLimit());
  evaluator.step(text.size());
  return text;
}

static bool flag(const Arguments &given, size_t position, const char *name,
                 bool byDefault = false) {
  const Value *value = given.get(position, name);
  return value ? value->truthy() : byDefault;
}

static int64_t integerOr(const Arguments &given, size_t position, const char *name,
                         int64_t byDefault) {
  const Value *value = given.get(position, name);
  return value && value->integral() ? value->integer() : byDefault;
}

static Value alongPath(Evaluator &evaluator, Value value, const Value &path) {
  if (path.integral())
    return evaluator.item(value, path);
  std::string_view rest = *path.string();
  while (true) {
    const size_t dot = rest.find('.');
    const std::string part(rest.substr(0, dot));
    const bool index =
        !part.empty() && std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
    value = evaluator.item(value, index && part.size() < 18 ? Value(int64_t(std::stoll(part)))
                                                            : Value(part));
    if (dot == rest.npos)
      return value;
    rest.remove_prefix(dot + 1);
  }
}

static Value pathArgument(const Arguments &given, size_t position, const char *name) {
  const Value *path = given.get(position, name);
  return path && (path->string() || path->integral()) ? *path : Value();
}

static Values iterated(Evaluator &evaluator, const Value &value) {
  Values items = iterate(value);
  evaluator.step(items.size() * 64);
  return items;
}

static Value picked(Evaluator &evaluator, const Value &value, Arguments &given, bool attribute,
                    bool keep) {
  Value path;
  if (attribute) {
    path = pathArgument(given, 0, "attribute");
    if (path.isUndefined())
      throw Failure{"the name of an attribute is missing"};
    if (!given.positional.empty())
      given.positional.erase(given.positional.begin());
  }
  std::string name;
  if (!given.positional.empty()) {
    name = textOf(evaluator, given.positional[0]);
    given.positional.erase(given.positional.begin());
  }
  Values result;
  for (const Value &item : iterated(evaluator, value)) {
    const Value tested = attribute ? alongPath(evaluator, item, path) : item;
    if ((name.empty() ? tested.truthy() : evaluator.test(name, tested, given)) == keep)
      result.push_back(item);
  }
  return evaluator.list(std::move(result));
}

/// What sorting and `unique` compare by.
static Value sortKey(Evaluator &evaluator, const Value &item, const Value &path,
                     bool caseSensitive) {
  Value key = path.isUndefined() ? item : alongPath(evaluator, item, path);
  return key.string() && !caseSensitive ? Value(lower(*key.string())) : key;
}

static Value sorted(Evaluator &evaluator, const Values &items, const Value &path,
                    bool caseSensitive, bool reverse) {
  // A list's merge sort is stable and stays in bounds whatever NaN does to the order.
  std::list<std::pair<Value, Value>> keyed;
  for (const Value &item : items)
    keyed.emplace_back(sortKey(evaluator, item, path, caseSensitive), item);
  keyed.sort([&](const auto &a, const auto &b) {
    evaluator.step();
    return reverse ? less(b.first, a.first) : less(a.first, b.first);
  });
  Values result;
  for (auto &[key, item] : keyed)
    result.push_back(std::move(item));
  return evaluator.list(std::move(result));
}

static Value mapped(Evaluator &evaluator, const Value &value, Arguments &given) {
  const Value path =
      given.positional.empty() ? pathArgument(given, SIZE_MAX, "attribute") : Value();
  const Value *byDefault = given.positional.empty() ? given.get(SIZE_MAX, "default") : nullptr;
  if (given.positional.empty() && path.isUndefined())
    throw Failure{"map needs the name of a filter or attribute="};
  Values result;
  for (const Value &item : iterated(evaluator, value)) {
    if (!path.isUndefined()) {
      Value found = alongPath(evaluator, item, path);
      result.push_back(found.isUndefined() && byDefault ? *byDefault : std::move(found));
    } else {
      Arguments rest = given;
      rest.positional.erase(rest.positional.begin());
      result.push_back(evaluator.filter(textOf(evaluator, given.positional[0]), item, rest));
    }
  }
  return evaluator.list(std::move(result));
}

static Value joined(Evaluator &evaluator, const Value &value, Arguments &given) {
  const std::string separator = given.get(0, "d") ? textOf(evaluator, *given.get(0, "d")) : "";
  const Value path = pathArgument(given, 1, "attribute");
  std::string result;
  bool first = true;
  for (const Value &item : iterated(evaluator, value)) {
    if (!first)
      result += separator;
    result += textOf(evaluator, path.isUndefined() ? item : alongPath(evaluator, item, path));
    evaluator.step(separator.size());
    if (result.size() > evaluator.textLimit())
      throw Failure{fmt::format("a text is longer than {} bytes", evaluator.textLimit())};
    first = false;
  }
  return evaluator.text(std::move(result));
}

static Value toJsonFilter(Evaluator &evaluator, const Value &value, Arguments &given) {
  JsonStyle style;
  style.ensureAscii = flag(given, 0, "ensure_ascii");
  style.sortKeys = flag(given, 3, "sort_keys");
  if (const Value *indent = given.get(1, "indent"); indent && !indent->isNone()) {
    style.lines = true;
    style.itemSeparator = ",";
    style.indent =
        indent->string()
            ? *indent->string()
            : std::string(size_t(std::clamp<int64_t>(integerOr(given, 1, "indent", 0), 0, 64)),
                          ' ');
  }
  if (const Value *separators = given.get(2, "separators"); separators && separators->list()) {
    const Values both = separators->list()->items;
    if (both.size() != 2)
      throw Failure{"tojson's separators are two strings"};
    style.itemSeparator = textOf(evaluator, both[0]);
    style.keySeparator = textOf(evaluator, both[1]);
  }
  return evaluator.text(toJson(value, style, evaluator.textLimit()));
}

static Value indented(Evaluator &evaluator, const Value &value, Arguments &given) {
  const Value *width = given.get(0, "width");
  const std::string margin =
      width && width->string()
          ? *width->string()
          : std::string(size_t(std::clamp<int64_t>(integerOr(given, 0, "width", 4), 0, 1000)), ' ');
  const bool first = flag(given, 1, "first"), blank = flag(given, 2, "blank");
  const std::string text = textOf(evaluator, value);
  std::string result;
  std::string_view rest = text;
  for (bool start = true;; start = false) {
    const size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    if (start ? first : blank || !line.empty())
      result += margin;
    result += line;
    evaluator.step(margin.size() + line.size());
    if (result.size() > evaluator.textLimit() || end == rest.npos)
      break;
    result += '\n';
    rest.remove_prefix(end + 1);
  }
  return evaluator.text(std::move(result));
}

static Value toInteger(Evaluator &evaluator, const Value &value, Arguments &given) {
  const int64_t byDefault = integerOr(given, 0, "default", 0);
  if (value.integral())
    return value.integer();
  double number = NAN;
  if (value.as<double>()) {
    number = value.number();
  } else if (value.string()) {
    std::string text(strip(*value.string(), true, true));
    const char *begin = text.data() + text.starts_with('+'), *end = text.data() + text.size();
    int64_t integer = 0;
    if (auto parsed = std::from_chars(begin, end, integer,
                                      int(integerOr(given, 1, "base", 10)) == 16 ? 16 : 10);
        parsed.ec == std::errc() && parsed.ptr == end && begin != end)
      return integer;
    if (auto parsed = std::from_chars(begin, end, number);
        parsed.ec != std::errc() || parsed.ptr != end)
      number = NAN;
  }
  return std::abs(number) < 9.2e18 ? int64_t(number) : byDefault;
}

static Value toFloat(Evaluator &evaluator, const Value &value, Arguments &given) {
  if (value.isNumber())
    return value.number();
  if (value.string()) {
    const std::string_view text = strip(*value.string(), true, true);
    const char *begin = text.data() + text.starts_with('+'), *end = text.data() + text.size();
    double number = 0;
    if (auto parsed = std::from_chars(begin, end, number);
        parsed.ec == std::errc() && parsed.ptr == end)
      return number;
  }
  const Value *byDefault = given.get(0, "default");
  return byDefault ? *byDefault : Value(0.0);
}

static Value rounded(Evaluator &evaluator, const Value &value, Arguments &given) {
  if (!value.isNumber())
    throw Failure{fmt::format("round needs a number, not {}", value.typeName())};
  const Value *method = given.get(1, "method");
  const std::string how = method && method->string() ? *method->string() : "common";
  const int precision = int(std::clamp<int64_t>(integerOr(given, 0, "precision", 0), -300, 300));
  if (how == "common" && value.integral() && precision >= 0)
    return value.integer();
  if (how == "common")
    return precision >= 0 ? std::stod(fmt::format("{:.{}f}", value.number(), precision))
                          : std::nearbyint(value.number() / std::pow(10.0, -precision)) *
                                std::pow(10.0, -precision);
  const double scale = std::pow(10.0, precision);
  return (how == "ceil" ? std::ceil(value.number() * scale) : std::floor(value.number() * scale)) /
         scale;
}

static Value extreme(Evaluator &evaluator, const Value &value, bool greatest) {
  const Values items = iterated(evaluator, value);
  const Value *best = nullptr;
  for (const Value &item : items)
    if (!best || (greatest ? less(*best, item) : less(item, *best)))
      best = &item;
  return best ? *best : Value();
}

static const std::map<std::string_view, Filter> &table() {
  static const std::map<std::string_view, Filter> filters = {
      {"trim", FILTER{const Value *set = given.get(0, "chars");
  return evaluator.text(
      std::string(strip(textOf(evaluator, value), true, true, set ? set->string() : nullptr)));
}
} // namespace llmir::jinja
, {"tojson", toJsonFilter}, {"upper", FILTER{return evaluator.text(upper(textOf(evaluator, value)));
}
}
, {"lower", FILTER{return evaluator.text(lower(textOf(evaluator, value)));
}
}
, {"title", FILTER{return evaluator.text(title(textOf(evaluator, value), true));
}
}
, {"capitalize", FILTER{return evaluator.text(capitalize(textOf(evaluator, value)));
}
}
, {"string", FILTER{return evaluator.text(textOf(evaluator, value));
}
}
, {"safe", FILTER{return value;
}
}
, {"length", FILTER{if (value.dict()) return int64_t(value.dict()->fields.size());
return int64_t(iterated(evaluator, value).size());
}
}
, {"first", FILTER{const Values items = iterated(evaluator, value);
return items.empty() ? Value() : items.front();
}
}
, {"last", FILTER{const Values items = iterated(evaluator, value);
return items.empty() ? Value() : items.back();
}
}
, {"join", joined}, {"list", FILTER{return evaluator.list(iterated(evaluator, value));
}
}
, {"default", FILTER{const Value *other = given.get(0, "default_value");
const bool missing = value.isUndefined() || (flag(given, 1, "boolean") && !value.truthy());
return !missing ? value : other ? *other : evaluator.text("");
}
}
, {"map", mapped}, {"select", FILTER{return picked(evaluator, value, given, false, true);
}
}
, {"reject", FILTER{return picked(evaluator, value, given, false, false);
}
}
, {"selectattr", FILTER{return picked(evaluator, value, given, true, true);
}
}
, {"rejectattr", FILTER{return picked(evaluator, value, given, true, false);
}
}
, {"items", FILTER{if (value.isUndefined()) return Value::list({});
if (!value.dict())
  throw Failure{fmt::format("items needs a mapping, not {}", value.typeName())};
Arguments none;
return (*methodOf(evaluator, value, "items").function())(none);
}
}
, {"attr", FILTER{const Value path = pathArgument(given, 0, "name");
return path.string() ? methodOf(evaluator, value, *path.string()) : Value();
}
}
, {"int", toInteger}, {"float", toFloat},
    {"abs", FILTER{if (!value.isNumber()) throw Failure{
                fmt::format("abs needs a number, not {}", value.typeName())};
return value.integral()
           ? Value(int64_t(value.integer() < 0 ? 0 - uint64_t(value.integer()) : value.integer()))
           : Value(std::abs(value.number()));
}
}
, {"round", rounded},
    {"replace", FILTER{const Value *from = given.get(0, "old"), *to = given.get(1, "new");
if (!from || !to)
  throw Failure{"replace needs two strings"};
return evaluator.text(replaceAll(textOf(evaluator, value), textOf(evaluator, *from),
                                 textOf(evaluator, *to), integerOr(given, 2, "count", -1),
                                 evaluator.textLimit()));
}
}
, {"indent", indented}, {"unique", FILTER{const Value path = pathArgument(given, 1, "attribute");
const bool sensitive = flag(given, 0, "case_sensitive");
Values keys, result;
for (const Value &item : iterated(evaluator, value)) {
  Value key = sortKey(evaluator, item, path, sensitive);
  evaluator.step(keys.size() * 16);
  if (std::ranges::any_of(keys, [&](const Value &known) { return equal(known, key); }))
    continue;
  keys.push_back(std::move(key));
  result.push_back(item);
}
return evaluator.list(std::move(result));
}
}
, {"sort",
   FILTER{return sorted(evaluator, iterated(evaluator, value), pathArgument(given, 2, "attribute"),
                        flag(given, 1, "case_sensitive"), flag(given, 0, "reverse"));
}
}
, {"dictsort", FILTER{if (!value.dict()) throw Failure{
                   fmt::format("dictsort needs a mapping, not {}", value.typeName())};
Arguments none;
const Value items = (*methodOf(evaluator, value, "items").function())(none);
const Value *by = given.get(1, "by");
const bool byValue = by && by->string() && *by->string() == "value";
return sorted(evaluator, items.list()->items, Value(int64_t(byValue)),
              flag(given, 0, "case_sensitive"), flag(given, 2, "reverse"));
}
}
, {"reverse", FILTER{Values items = iterated(evaluator, value);
std::ranges::reverse(items);
if (!value.string())
  return evaluator.list(std::move(items));
std::string text;
for (const Value &item : items)
  text += *item.string();
return evaluator.text(std::move(text));
}
}
, {"sum", FILTER{const Value path = pathArgument(given, 0, "attribute");
double sum = 0;
int64_t integers = 0;
bool integral = true;
for (const Value &item : iterated(evaluator, value)) {
  const Value number = path.isUndefined() ? item : alongPath(evaluator, item, path);
  if (!number.isNumber())
    throw Failure{fmt::format("sum needs numbers, not {}", number.typeName())};
  sum += number.number();
  integral = integral && number.integral();
  if (integral && __builtin_add_overflow(integers, number.integer(), &integers))
    throw Failure{"a sum does not fit 64 bits"};
}
return integral ? Value(integers) : Value(sum);
}
}
, {"min", FILTER{return extreme(evaluator, value, false);
}
}
, {"max", FILTER{return extreme(evaluator, value, true);
}
}
, {"escape", FILTER{std::string result;
for (char c : textOf(evaluator, value))
  result += c == '&'    ? "&amp;"
            : c == '<'  ? "&lt;"
            : c == '>'  ? "&gt;"
            : c == '\'' ? "&#39;"
            : c == '"'  ? "&#34;"
                        : std::string(1, c);
return evaluator.text(std::move(result));
}
}
, {"wordcount", FILTER{Arguments none;
return int64_t((*methodOf(evaluator, Value(textOf(evaluator, value)), "split").function())(none)
                   .list()
                   ->items.size());
}
}
,
}
;
return filters;
}

Value Evaluator::filter(const std::string &name, const Value &value, Arguments &arguments) {
  step();
  static const std::map<std::string_view, std::string_view> aliases = {
      {"count", "length"}, {"d", "default"}, {"e", "escape"}};
  const auto alias = aliases.find(name);
  const auto found = table().find(alias == aliases.end() ? std::string_view(name) : alias->second);
  if (found == table().end())
    throw Failure{fmt::format("there is no filter named '{}'", name)};
  return found->second(*this, value, arguments);
}

} // namespace llmir::jinja
