// The tests of Jinja ("x is defined"), by name.
#include "llmir/formats/chat_template/Evaluator.h"
#include "llmir/formats/chat_template/Text.h"

#include <fmt/format.h>
#include <map>

namespace llmir::jinja {

using Test = bool (*)(const Value &, const Value &other);

#define TEST [](const Value &value, const Value &other)->bool

static int64_t remainder(const Value &value, int64_t by) {
  if (!value.integral() || by == 0)
    throw Failure{fmt::format("a test for divisibility needs integers, not {}", value.typeName())};
  return by == -1 ? 0 : value.integer() % by;
}

static const std::map<std::string_view, Test> &table() {
  static const std::map<std::string_view, Test> tests = {
      {"defined", TEST{return !value.isUndefined();
}
} // namespace llmir::jinja
, {"undefined", TEST{return value.isUndefined();
}
}
, {"none", TEST{return value.isNone();
}
}
, {"string", TEST{return value.string();
}
}
, {"mapping", TEST{return value.dict() && !value.dict()->isNamespace;
}
}
, {"sequence", TEST{return value.string() || value.list() || value.isUndefined() ||
                           (value.dict() && !value.dict()->isNamespace);
}
}
, {"iterable", TEST{return value.string() || value.list() || value.isUndefined() ||
                           (value.dict() && !value.dict()->isNamespace);
}
}
, {"number", TEST{return value.isNumber();
}
}
, {"integer", TEST{return value.as<int64_t>();
}
}
, {"float", TEST{return value.as<double>();
}
}
, {"boolean", TEST{return value.as<bool>();
}
}
, {"true", TEST{return value.as<bool>() && value.truthy();
}
}
, {"false", TEST{return value.as<bool>() && !value.truthy();
}
}
, {"callable", TEST{return value.function();
}
}
, {"in", TEST{return contains(other, value);
}
}
, {"eq", TEST{return equal(value, other);
}
}
, {"ne", TEST{return !equal(value, other);
}
}
, {"lt", TEST{return less(value, other);
}
}
, {"le", TEST{return less(value, other) || equal(value, other);
}
}
, {"gt", TEST{return less(other, value);
}
}
, {"ge", TEST{return less(other, value) || equal(value, other);
}
}
, {"sameas",
   TEST{return std::string_view(value.typeName()) == other.typeName() && equal(value, other);
}
}
, {"even", TEST{return remainder(value, 2) == 0;
}
}
, {"odd", TEST{return remainder(value, 2) != 0;
}
}
, {"divisibleby", TEST{return remainder(value, other.integral() ? other.integer() : 0) == 0;
}
}
, {"lower", TEST{const std::string text = toText(value, SIZE_MAX);
return lower(text) == text && upper(text) != text;
}
}
, {"upper", TEST{const std::string text = toText(value, SIZE_MAX);
return upper(text) == text && lower(text) != text;
}
}
,
}
;
return tests;
}

bool Evaluator::test(const std::string &name, const Value &value, Arguments &arguments) {
  step();
  static const std::map<std::string_view, std::string_view> aliases = {
      {"equalto", "eq"}, {"==", "eq"}, {"!=", "ne"},          {"<", "lt"}, {"lessthan", "lt"},
      {"<=", "le"},      {">", "gt"},  {"greaterthan", "gt"}, {">=", "ge"}};
  const auto alias = aliases.find(name);
  const auto found = table().find(alias == aliases.end() ? std::string_view(name) : alias->second);
  if (found == table().end())
    throw Failure{fmt::format("there is no test named '{}'", name)};
  return found->second(value, arguments.positional.empty() ? Value() : arguments.positional[0]);
}

} // namespace llmir::jinja
