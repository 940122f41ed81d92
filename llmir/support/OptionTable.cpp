// Parsing and checking of values, by the type of the variable behind an option.
#include "llmir/support/OptionTable.h"

#include "llmir/support/Text.h"
#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/ranges.h>

namespace llmir {

namespace {

template <typename T> bool parseNumber(std::string_view text, T &value) {
  if (text.starts_with('+'))
    text.remove_prefix(1);
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size();
}

bool parseBool(std::string_view text, bool &value) {
  std::string word(text);
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  for (const char *yes : {"true", "1", "yes", "on"})
    if (word == yes)
      return value = true;
  for (const char *no : {"false", "0", "no", "off"})
    if (word == no)
      return !(value = false);
  return false;
}

std::vector<std::string> splitList(std::span<const std::string> values) {
  std::vector<std::string> items;
  for (const std::string &value : values)
    for (size_t begin = 0; begin <= value.size();) {
      size_t comma = std::min(value.find(',', begin), value.size());
      items.push_back(value.substr(begin, comma - begin));
      begin = comma + 1;
    }
  return items;
}

template <typename T> constexpr bool isWhole = std::is_integral_v<T> && !std::is_same_v<T, bool>;

std::string numberText(double value) {
  return value == std::floor(value) && std::abs(value) < 1e15 ? fmt::format("{:.0f}", value)
                                                              : fmt::format("{:g}", value);
}

/// A value as a user would type it; empty where there is none.
struct ValueText {
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  template <typename T> std::string operator()(const T &value) const {
    if constexpr (std::is_same_v<T, std::string>)
      return value;
    else if constexpr (std::is_same_v<T, std::optional<std::string>>)
      return value.value_or("");
    else if constexpr (std::is_arithmetic_v<T>)
      return fmt::format("{}", value);
    else
      return fmt::format("{}", fmt::join(value, ","));
  }
};

} // namespace

Option::Option(OptionInfo info, Variable variable) : declared(std::move(info)), variable(variable) {
  std::visit([&](auto *target) { initial = *target; }, variable);
  declared.isFlag = std::holds_alternative<bool *>(variable);
  if (!declared.isFlag)
    declared.defaultText = valueText();
  declared.isList = std::holds_alternative<std::vector<int32_t> *>(variable) ||
                    std::holds_alternative<std::vector<std::string> *>(variable);
  if (declared.isFlag || declared.isPositional)
    return;
  bool isText = std::holds_alternative<std::string *>(variable) ||
                std::holds_alternative<std::optional<std::string> *>(variable) ||
                std::holds_alternative<std::vector<std::string> *>(variable);
  declared.placeholder = isText ? "TEXT" : "N";
  if (declared.isList)
    declared.placeholder += ",...";
}

Option &Option::letter(char letter) {
  declared.letter = letter;
  return *this;
}

Option &Option::placeholder(std::string text) {
  declared.placeholder = std::move(text);
  return *this;
}

Option &Option::range(double least, double most) {
  declared.least = least;
  declared.most = most;
  return *this;
}

Option &Option::choices(std::vector<std::string> values) {
  declared.choices = std::move(values);
  if (!declared.isPositional)
    declared.placeholder = fmt::format("{}", fmt::join(declared.choices, "|"));
  return *this;
}

Option &Option::defaultText(std::string text) {
  declared.defaultText = std::move(text);
  return *this;
}

Option &Option::required() {
  declared.isRequired = true;
  return *this;
}

Option &Option::needs(std::string other) {
  declared.needs.push_back(std::move(other));
  return *this;
}

Option &Option::excludes(std::string other) {
  declared.excludes.push_back(std::move(other));
  return *this;
}

Option &Option::commandLineOnly() {
  declared.isCommandLineOnly = true;
  return notInFile();
}

Option &Option::notInFile() {
  declared.isInFile = false;
  return *this;
}

Option &Option::repeated() {
  declared.isSplit = false;
  if (declared.placeholder.ends_with(",..."))
    declared.placeholder.resize(declared.placeholder.size() - 4);
  return *this;
}

bool Option::takesFile() const {
  const std::string &what = declared.isPositional ? declared.name : declared.placeholder;
  return declared.choices.empty() && (what == "FILE" || what == "FOLDER" || what == "MODEL");
}

std::string Option::flag() const {
  return declared.isPositional ? declared.name : "--" + declared.name;
}

std::string Option::environmentName() const {
  if (declared.isCommandLineOnly)
    return "";
  std::string name = "LLMIR_" + declared.name;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return c == '-' ? '_' : std::toupper(c); });
  return name;
}

std::string Option::expected() const {
  if (!declared.choices.empty())
    return fmt::format("one of {}", fmt::join(declared.choices, ", "));
  std::string kind = std::visit(
      [this](auto *target) -> const char * {
        using T = std::remove_pointer_t<decltype(target)>;
        if constexpr (std::is_same_v<T, bool>)
          return "true or false";
        else if constexpr (isWhole<T>)
          return "a whole number";
        else if constexpr (std::is_floating_point_v<T>)
          return "a number";
        else if constexpr (std::is_same_v<T, std::vector<int32_t>>)
          return "whole numbers between commas";
        else if (takesFile())
          return "the name of a file";
        else
          return "text";
      },
      variable);
  if (std::holds_alternative<uint64_t *>(variable) && !declared.least)
    return kind + " from 0 to 18446744073709551615";
  if (declared.least)
    kind += fmt::format(" from {} to {}", numberText(*declared.least), numberText(*declared.most));
  return kind;
}

Expected<Option::Value> Option::parse(std::span<const std::string> values,
                                      const std::string &place) const {
  auto refuse = [&](std::string_view text) {
    return fail("{}: {} is not possible: {} is expected", place, inQuotes(text), expected());
  };
  auto inRange = [&](double value) {
    return !declared.least || (value >= *declared.least && value <= *declared.most);
  };
  auto isChoice = [&](const std::string &text) {
    return declared.choices.empty() || std::find(declared.choices.begin(), declared.choices.end(),
                                                 text) != declared.choices.end();
  };
  if (!declared.isList && values.size() != 1)
    return fail("{}: one value is expected, not {}", place, values.size());
  return std::visit(
      [&](auto *target) -> Expected<Value> {
        using T = std::remove_pointer_t<decltype(target)>;
        if constexpr (std::is_same_v<T, bool>) {
          bool value = false;
          if (!parseBool(values[0], value))
            return refuse(values[0]);
          return value;
        } else if constexpr (std::is_arithmetic_v<T>) {
          T value = 0;
          if (!parseNumber(values[0], value) || !std::isfinite(double(value)) ||
              !inRange(double(value)))
            return refuse(values[0]);
          return value;
        } else if constexpr (std::is_same_v<T, std::vector<int32_t>>) {
          T list;
          for (const std::string &item : splitList(values)) {
            int32_t value = 0;
            if (!parseNumber(item, value) || !inRange(value))
              return refuse(item);
            list.push_back(value);
          }
          return list;
        } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          T list = declared.isSplit ? splitList(values) : T(values.begin(), values.end());
          for (const std::string &item : list)
            if (item.empty() || !isChoice(item))
              return refuse(item);
          return list;
        } else {
          if (!isChoice(values[0]) || (values[0].empty() && takesFile()))
            return refuse(values[0]);
          return T(values[0]);
        }
      },
      variable);
}

std::string Option::valueText() const {
  return std::visit([](auto *target) { return ValueText()(*target); }, variable);
}

void Option::store(Value value) {
  std::visit(
      [&](auto *target) {
        using T = std::remove_pointer_t<decltype(target)>;
        *target = std::get<T>(std::move(value));
      },
      variable);
}

Status Option::set(std::span<const std::string> values, OptionSource source, std::string place) {
  if (source < from)
    return {};
  auto value = parse(values, place);
  if (!value)
    return forward(value);
  store(std::move(*value));
  from = source;
  givenPlace = std::move(place);
  givenText = values.empty() ? "" : values.back();
  return {};
}

Status Option::check(std::span<const std::string> values, const std::string &place) const {
  auto value = parse(values, place);
  if (!value)
    return forward(value);
  return {};
}

void Option::reset() {
  store(initial);
  from = OptionSource::Default;
}

Option &OptionTable::add(std::string name, Option::Variable variable, std::string help) {
  OptionInfo info;
  info.name = std::move(name);
  info.group = currentGroup;
  info.help = std::move(help);
  info.isCommandLineOnly = isCommandLineOnly;
  info.isInFile = !isCommandLineOnly;
  return list.emplace_back(std::move(info), variable);
}

Option &OptionTable::positional(std::string name, Option::Variable variable, std::string help,
                                bool required) {
  OptionInfo info;
  info.name = std::move(name);
  info.group = "Arguments";
  info.help = std::move(help);
  info.isPositional = true;
  info.isRequired = required;
  info.isCommandLineOnly = true;
  info.isInFile = false;
  return list.emplace_back(std::move(info), variable);
}

Option *OptionTable::find(std::string_view name) {
  for (Option &option : list)
    if (option.info().name == name)
      return &option;
  return nullptr;
}

const Option *OptionTable::find(std::string_view name) const {
  return const_cast<OptionTable *>(this)->find(name);
}

} // namespace llmir
