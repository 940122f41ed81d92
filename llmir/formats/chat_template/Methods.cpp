// Methods of strings, dicts and lists, and the global functions. Only those are reachable: nothing
// that changes a value, and no name that starts with an underscore.
#include "llmir/formats/chat_template/Evaluator.h"
#include "llmir/formats/chat_template/Text.h"

#include <algorithm>
#include <ctime>
#include <fmt/format.h>

namespace llmir::jinja {

using Method = Value (*)(Evaluator &, const Value &self, Arguments &);

static const std::string &stringArgument(const Arguments &given, size_t position,
                                         const char *name) {
  const Value *value = given.get(position, name);
  if (!value || !value->string())
    throw Failure{fmt::format("argument '{}' must be a string", name)};
  return *value->string();
}

static int64_t integerArgument(const Arguments &given, size_t position, const char *name,
                               int64_t byDefault) {
  const Value *value = given.get(position, name);
  if (!value || value->isNone())
    return byDefault;
  if (!value->integral())
    throw Failure{fmt::format("argument '{}' must be an integer, not {}", name, value->typeName())};
  return value->integer();
}

static Value stripped(Evaluator &evaluator, const Value &self, Arguments &given, bool left,
                      bool right) {
  const Value *set = given.get(0, "chars");
  const bool isSet = set && !set->isNone();
  if (isSet)
    stringArgument(given, 0, "chars");
  evaluator.step(self.string()->size());
  return evaluator.text(
      std::string(strip(*self.string(), left, right, isSet ? set->string() : nullptr)));
}

static Value split(Evaluator &evaluator, const Value &self, Arguments &given, bool fromRight) {
  std::string_view text = *self.string();
  const Value *separator = given.get(0, "sep");
  int64_t most = integerArgument(given, 1, "maxsplit", -1);
  std::vector<std::string_view> parts;
  if (!separator || separator->isNone()) {
    const auto skip = [&] { text = strip(text, !fromRight, fromRight); };
    for (skip(); !text.empty(); skip()) {
      if (most-- == 0) {
        parts.push_back(text);
        break;
      }
      size_t length = 0, start = text.size();
      if (fromRight) {
        const auto all = characters(text);
        for (size_t i = all.size(); i-- > 0 && !isSpace(codePoint(all[i]));)
          start -= all[i].size();
        parts.push_back(text.substr(start));
        text = text.substr(0, start);
      } else {
        for (size_t i = 0; i < text.size();
             i += characters(text.substr(i, 4))[0].size(), length = i)
          if (isSpace(codePoint(text.substr(i))))
            break;
        parts.push_back(text.substr(0, length));
        text.remove_prefix(length);
      }
      evaluator.step(fromRight ? text.size() : 0);
    }
  } else {
    const std::string &mark = stringArgument(given, 0, "sep");
    if (mark.empty())
      throw Failure{"split needs a separator that is not empty"};
    while (most-- != 0) {
      const size_t at = fromRight ? text.rfind(mark) : text.find(mark);
      if (at == text.npos)
        break;
      parts.push_back(fromRight ? text.substr(at + mark.size()) : text.substr(0, at));
      text = fromRight ? text.substr(0, at) : text.substr(at + mark.size());
    }
    parts.push_back(text);
  }
  if (fromRight)
    std::ranges::reverse(parts);
  Values items;
  for (std::string_view part : parts)
    items.push_back(evaluator.text(std::string(part)));
  return evaluator.list(std::move(items));
}

static bool affix(const Value &self, Arguments &given,
                  bool (*matches)(std::string_view, std::string_view)) {
  const Value *wanted = given.get(0, "prefix");
  if (wanted && wanted->list())
    return std::ranges::any_of(wanted->list()->items, [&](const Value &each) {
      return each.string() && matches(*self.string(), *each.string());
    });
  return matches(*self.string(), stringArgument(given, 0, "prefix"));
}

static Value find(const Value &self, Arguments &given, bool fromRight) {
  const std::string &wanted = stringArgument(given, 0, "sub");
  const size_t at = fromRight ? self.string()->rfind(wanted) : self.string()->find(wanted);
  return at == std::string::npos ? int64_t(-1)
                                 : int64_t(characters(self.string()->substr(0, at)).size());
}

static bool all(const Value &self, bool (*is)(uint32_t)) {
  const auto text = characters(*self.string());
  return !text.empty() &&
         std::ranges::all_of(text, [&](auto character) { return is(codePoint(character)); });
}

static Value joined(Evaluator &evaluator, const Value &self, Arguments &given) {
  std::string result;
  bool first = true;
  for (const Value &item : iterate(given.positional.empty() ? Value() : given.positional[0])) {
    if (!item.string())
      throw Failure{fmt::format("join needs strings, not {}", item.typeName())};
    result += (first ? "" : *self.string()) + *item.string();
    evaluator.step(result.size() > evaluator.textLimit() ? SIZE_MAX / 2 : item.string()->size());
    first = false;
  }
  return evaluator.text(std::move(result));
}

#define METHOD [](Evaluator & evaluator, const Value &self, Arguments &given)->Value

static const std::pair<std::string_view, Method> stringMethods[] = {
    {"strip", METHOD{return stripped(evaluator, self, given, true, true);
} // namespace llmir::jinja
}
, {"lstrip", METHOD{return stripped(evaluator, self, given, true, false);
}
}
, {"rstrip", METHOD{return stripped(evaluator, self, given, false, true);
}
}
, {"split", METHOD{return split(evaluator, self, given, false);
}
}
, {"rsplit", METHOD{return split(evaluator, self, given, true);
}
}
, {"splitlines", METHOD{Values lines;
std::string_view text = *self.string();
while (!text.empty()) {
  const size_t at = text.find_first_of("\r\n");
  lines.push_back(evaluator.text(std::string(text.substr(0, at))));
  if (at == text.npos)
    break;
  text.remove_prefix(at + (text.substr(at).starts_with("\r\n") ? 2 : 1));
}
return evaluator.list(std::move(lines));
}
}
, {"join", joined}, {"upper", METHOD{return evaluator.text(upper(*self.string()));
}
}
, {"lower", METHOD{return evaluator.text(lower(*self.string()));
}
}
, {"title", METHOD{return evaluator.text(title(*self.string(), false));
}
}
, {"capitalize", METHOD{return evaluator.text(capitalize(*self.string()));
}
}
, {"replace", METHOD{return evaluator.text(replaceAll(
                  *self.string(), stringArgument(given, 0, "old"), stringArgument(given, 1, "new"),
                  integerArgument(given, 2, "count", -1), evaluator.textLimit()));
}
}
, {"startswith",
   METHOD{return affix(self, given, [](auto text, auto part) { return text.starts_with(part); });
}
}
, {"endswith",
   METHOD{return affix(self, given, [](auto text, auto part) { return text.ends_with(part); });
}
}
, {"removeprefix", METHOD{const std::string &prefix = stringArgument(given, 0, "prefix");
return evaluator.text(
    self.string()->substr(self.string()->starts_with(prefix) ? prefix.size() : 0));
}
}
, {"removesuffix",
   METHOD{const std::string &text = *self.string(), &suffix = stringArgument(given, 0, "suffix");
return evaluator.text(text.substr(0, text.size() - (text.ends_with(suffix) ? suffix.size() : 0)));
}
}
, {"find", METHOD{return find(self, given, false);
}
}
, {"rfind", METHOD{return find(self, given, true);
}
}
, {"count", METHOD{const std::string &wanted = stringArgument(given, 0, "sub");
int64_t count = wanted.empty() ? int64_t(characters(*self.string()).size()) + 1 : 0;
for (size_t at = 0; !wanted.empty() && (at = self.string()->find(wanted, at)) != std::string::npos;
     at += wanted.size())
  ++count;
return count;
}
}
, {"isdigit", METHOD{return all(self, [](uint32_t c) { return c >= '0' && c <= '9'; });
}
}
, {"isspace", METHOD{return all(self, isSpace);
}
}
,
}
;

static const std::pair<std::string_view, Method> dictMethods[] = {
    {"keys", METHOD{return evaluator.list(iterate(self));
}
}
, {"values", METHOD{Values items;
for (const auto &[key, value] : self.dict()->fields)
  items.push_back(value);
return evaluator.list(std::move(items));
}
}
, {"items", METHOD{Values items;
for (const auto &[key, value] : self.dict()->fields)
  items.push_back(evaluator.list({Value(key), value}, true));
return evaluator.list(std::move(items));
}
}
, {"get", METHOD{const Value *key = given.get(0, "key"), *otherwise = given.get(1, "default");
const Value *found = key && key->string() ? self.field(*key->string()) : nullptr;
return found ? *found : otherwise ? *otherwise : Value::none();
}
}
, {"copy", METHOD{return self;
}
}
,
}
;

static const std::pair<std::string_view, Method> listMethods[] = {
    {"index", METHOD{const Values &items = self.list()->items;
for (size_t i = 0; i < items.size(); ++i)
  if (!given.positional.empty() && equal(items[i], given.positional[0]))
    return int64_t(i);
throw Failure{"the value is not in the list"};
}
}
, {"count", METHOD{return int64_t(std::ranges::count_if(self.list()->items, [&](const Value &item) {
     return !given.positional.empty() && equal(item, given.positional[0]);
   }));
}
}
, {"copy", METHOD{return self;
}
}
,
}
;

Value methodOf(Evaluator &evaluator, const Value &value, const std::string &name) {
  std::span<const std::pair<std::string_view, Method>> methods;
  if (value.string())
    methods = stringMethods;
  else if (value.dict())
    methods = dictMethods;
  else if (value.list())
    methods = listMethods;
  for (const auto &[known, method] : methods)
    if (known == name)
      return Value::function([&evaluator, value, method](Arguments &given) {
        evaluator.step(value.string() ? value.string()->size() : 0);
        return method(evaluator, value, given);
      });
  return Value::undefined(name);
}

static Value range(Arguments &given) {
  int64_t parts[3] = {0, 0, 1};
  const size_t count = given.positional.size();
  if (count < 1 || count > 3)
    throw Failure{"range needs one to three integers"};
  for (size_t i = 0; i < count; ++i) {
    const Value &part = given.positional[i];
    if (!part.integral())
      throw Failure{fmt::format("range needs integers, not {}", part.typeName())};
    parts[count == 1 ? 1 : i] = part.integer();
  }
  const auto [begin, end, stride] = parts;
  if (stride == 0)
    throw Failure{"range can not have the step 0"};
  constexpr int64_t most = 100000;
  const __int128 distance = stride > 0 ? __int128(end) - begin : __int128(begin) - end;
  const __int128 magnitude = stride > 0 ? __int128(stride) : -__int128(stride);
  if (distance > 0 && (distance + magnitude - 1) / magnitude > most)
    throw Failure{fmt::format("a range is longer than {}", most)};
  Values items;
  for (__int128 i = begin; stride > 0 ? i < end : i > end; i += stride)
    items.push_back(int64_t(i));
  return Value::list(std::move(items));
}

static Fields fieldsFrom(Arguments &given) {
  Fields fields;
  if (!given.positional.empty()) {
    if (const Dict *dict = given.positional[0].dict())
      fields = dict->fields;
    else
      for (const Value &pair : iterate(given.positional[0])) {
        const Values both = iterate(pair);
        if (both.size() != 2 || !both[0].string())
          throw Failure{"dict needs pairs of a name and a value"};
        fields.emplace_back(*both[0].string(), both[1]);
      }
  }
  for (auto &[name, value] : given.named) {
    auto known = std::ranges::find(fields, name, [](const auto &field) { return field.first; });
    if (known != fields.end())
      known->second = value;
    else
      fields.emplace_back(name, value);
  }
  return fields;
}

Fields globalFunctions() {
  return {
      {"range", Value::function(range)},
      {"dict", Value::function([](Arguments &given) { return Value::dict(fieldsFrom(given)); })},
      {"namespace",
       Value::function([](Arguments &given) { return Value::dict(fieldsFrom(given), true); })},
      {"raise_exception", Value::function([](Arguments &given) -> Value {
         std::string message = given.positional.empty() ? "" : toText(given.positional[0], 4096);
         std::ranges::replace(message, '\n', ' ');
         throw Failure{fmt::format("the chat template refuses: {}", message)};
       })},
      {"strftime_now", Value::function([](Arguments &given) {
         const std::string format = stringArgument(given, 0, "format");
         if (format.size() > 200)
           throw Failure{"a time format is longer than 200 bytes"};
         const std::time_t now = std::time(nullptr);
         std::tm local{};
         localtime_r(&now, &local);
         char buffer[4096];
         return Value(
             std::string(buffer, std::strftime(buffer, sizeof buffer, format.c_str(), &local)));
       })},
  };
}

} // namespace llmir::jinja
