// See the header. Printing follows Python's str(), repr() and json.dumps() to the letter.
#include "llmir/formats/chat_template/Value.h"
#include "llmir/formats/chat_template/Text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

namespace llmir::jinja {

static constexpr int maxDepth = 200; // of lists in lists

const Value *Arguments::get(size_t position, std::string_view name) const {
  if (position < positional.size())
    return &positional[position];
  for (const auto &[key, value] : named)
    if (key == name)
      return &value;
  return nullptr;
}

int Value::depth() const { return list() ? list()->depth : dict() ? dict()->depth : 0; }

static int depthAround(int depth, const Value &item) {
  if (item.dict() && item.dict()->isNamespace)
    throw Failure{"a namespace can not be put into another value"};
  depth = std::max(depth, item.depth() + 1);
  if (depth > maxDepth)
    throw Failure{fmt::format("values are nested deeper than {}", maxDepth)};
  return depth;
}

Value Value::list(Values items, bool tuple) {
  auto list = std::make_shared<List>(List{std::move(items), tuple});
  for (const Value &item : list->items)
    list->depth = depthAround(list->depth, item);
  return Value(Data(std::move(list)));
}

Value Value::dict(Fields fields, bool isNamespace) {
  auto dict = std::make_shared<Dict>(Dict{std::move(fields), isNamespace});
  for (const auto &[key, item] : dict->fields)
    dict->depth = depthAround(dict->depth, item);
  return Value(Data(std::move(dict)));
}

Value Value::fromJson(const nlohmann::ordered_json &json, int depth) {
  if (depth > maxDepth)
    throw Failure{fmt::format("the context is nested deeper than {}", maxDepth)};
  switch (json.type()) {
  case nlohmann::ordered_json::value_t::boolean:
    return json.get<bool>();
  case nlohmann::ordered_json::value_t::number_integer:
    return json.get<int64_t>();
  case nlohmann::ordered_json::value_t::number_unsigned:
    if (json.get<uint64_t>() <= uint64_t(INT64_MAX))
      return json.get<int64_t>();
    [[fallthrough]];
  case nlohmann::ordered_json::value_t::number_float:
    return json.get<double>();
  case nlohmann::ordered_json::value_t::string:
    return json.get<std::string>();
  case nlohmann::ordered_json::value_t::array: {
    Values items;
    for (const auto &item : json)
      items.push_back(fromJson(item, depth + 1));
    return list(std::move(items));
  }
  case nlohmann::ordered_json::value_t::object: {
    Fields fields;
    for (const auto &[key, item] : json.items())
      fields.emplace_back(key, fromJson(item, depth + 1));
    return dict(std::move(fields));
  }
  default:
    return none();
  }
}

int64_t Value::integer() const { return as<bool>() ? int64_t(*as<bool>()) : *as<int64_t>(); }

double Value::number() const { return as<double>() ? *as<double>() : double(integer()); }

bool Value::truthy() const {
  if (isNumber())
    return number() != 0;
  if (string())
    return !string()->empty();
  if (list())
    return !list()->items.empty();
  if (dict())
    return dict()->isNamespace || !dict()->fields.empty();
  return function();
}

const char *Value::typeName() const {
  if (isUndefined())
    return "undefined";
  if (isNone())
    return "NoneType";
  if (as<bool>())
    return "bool";
  if (as<int64_t>())
    return "int";
  if (as<double>())
    return "float";
  if (string())
    return "str";
  if (list())
    return list()->tuple ? "tuple" : "list";
  return dict() ? "dict" : "function";
}

const Value *Value::field(std::string_view name) const {
  if (const Dict *d = dict())
    for (const auto &[key, value] : d->fields)
      if (key == name)
        return &value;
  return nullptr;
}

bool equal(const Value &a, const Value &b) {
  if (a.integral() && b.integral())
    return a.integer() == b.integer();
  if (a.isNumber() && b.isNumber())
    return a.number() == b.number();
  if (a.string() && b.string())
    return *a.string() == *b.string();
  if (a.list() && b.list())
    return a.list()->tuple == b.list()->tuple &&
           std::ranges::equal(a.list()->items, b.list()->items, equal);
  if (a.dict() && b.dict()) {
    if (a.dict()->fields.size() != b.dict()->fields.size())
      return false;
    for (const auto &[key, value] : a.dict()->fields)
      if (const Value *other = b.field(key); !other || !equal(value, *other))
        return false;
    return true;
  }
  return (a.isNone() && b.isNone()) || (a.isUndefined() && b.isUndefined()) ||
         (a.function() && a.function() == b.function());
}

bool less(const Value &a, const Value &b) {
  if (a.integral() && b.integral())
    return a.integer() < b.integer();
  if (a.isNumber() && b.isNumber())
    return a.number() < b.number();
  if (a.string() && b.string())
    return *a.string() < *b.string(); // UTF-8 sorts as code points do
  if (a.list() && b.list())
    return std::ranges::lexicographical_compare(a.list()->items, b.list()->items, less);
  throw Failure{fmt::format("values of types {} and {} have no order", a.typeName(), b.typeName())};
}

bool contains(const Value &container, const Value &item) {
  if (const std::string *text = container.string()) {
    if (!item.string())
      throw Failure{fmt::format("'in <string>' needs a string, not {}", item.typeName())};
    return text->find(*item.string()) != text->npos;
  }
  if (container.list())
    return std::ranges::any_of(container.list()->items,
                               [&](const Value &each) { return equal(each, item); });
  if (container.dict())
    return item.string() && container.field(*item.string());
  if (container.isUndefined())
    return false;
  throw Failure{
      fmt::format("a value of type {} can not be searched with 'in'", container.typeName())};
}

Values iterate(const Value &value) {
  Values items;
  if (value.list())
    return value.list()->items;
  if (value.dict() && !value.dict()->isNamespace)
    for (const auto &[key, item] : value.dict()->fields)
      items.emplace_back(key);
  else if (value.string())
    for (std::string_view character : characters(*value.string()))
      items.emplace_back(std::string(character));
  else if (!value.isUndefined())
    throw Failure{fmt::format("a value of type {} can not be iterated over", value.typeName())};
  return items;
}

static std::string floatText(double value) {
  if (std::isnan(value))
    return "nan";
  if (std::isinf(value))
    return value < 0 ? "-inf" : "inf";
  char buffer[40];
  char *end =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  std::string scientific(buffer, end);
  const int exponent = std::stoi(scientific.substr(scientific.find('e') + 1));
  if (exponent < -4 || exponent >= 16)
    return scientific;
  char plain[400];
  end = std::to_chars(plain, plain + sizeof plain, value, std::chars_format::fixed).ptr;
  std::string text(plain, end);
  return text.find('.') == text.npos ? text + ".0" : text;
}

namespace {
struct Printer {
  std::string text;
  size_t limit;

  void add(std::string_view part) {
    if (text.size() + part.size() > limit)
      throw Failure{fmt::format("a text is longer than {} bytes", limit)};
    text += part;
  }
  void repr(const Value &value);
  void json(const Value &value, const JsonStyle &style, size_t level);
  void jsonString(std::string_view string, bool ascii);
};
} // namespace

void Printer::repr(const Value &value) {
  if (const std::string *string = value.string()) {
    add(pythonQuoted(*string));
  } else if (const List *list = value.list()) {
    add(list->tuple ? "(" : "[");
    for (size_t i = 0; i < list->items.size(); ++i) {
      add(i ? ", " : "");
      repr(list->items[i]);
    }
    add(list->tuple ? (list->items.size() == 1 ? ",)" : ")") : "]");
  } else if (const Dict *dict = value.dict()) {
    add(dict->isNamespace ? "<Namespace {" : "{");
    for (size_t i = 0; i < dict->fields.size(); ++i) {
      add(i ? ", " : "");
      add(pythonQuoted(dict->fields[i].first));
      add(": ");
      repr(dict->fields[i].second);
    }
    add(dict->isNamespace ? "}>" : "}");
  } else if (value.isUndefined()) {
    add("Undefined");
  } else {
    add(toText(value, limit));
  }
}

void Printer::jsonString(std::string_view string, bool ascii) {
  add("\"");
  for (std::string_view character : characters(string)) {
    const uint8_t c = uint8_t(character[0]);
    if (c == '"' || c == '\\')
      add(std::string("\\") + char(c));
    else if (c == '\n')
      add("\\n");
    else if (c == '\r')
      add("\\r");
    else if (c == '\t')
      add("\\t");
    else if (c == '\b')
      add("\\b");
    else if (c == '\f')
      add("\\f");
    else if (c < 0x20)
      add(fmt::format("\\u{:04x}", c));
    else if (c < 0x80 || !ascii)
      add(character);
    else if (uint32_t code = codePoint(character); code < 0x10000)
      add(fmt::format("\\u{:04x}", code));
    else
      add(fmt::format("\\u{:04x}\\u{:04x}", 0xD7C0 + (code >> 10), 0xDC00 | (code & 0x3FF)));
  }
  add("\"");
}

void Printer::json(const Value &value, const JsonStyle &style, size_t level) {
  const auto separate = [&](bool first, size_t depth) {
    if (!first)
      add(style.itemSeparator);
    if (style.lines) {
      add("\n");
      for (size_t i = 0; i < depth; ++i)
        add(style.indent);
    }
  };
  if (value.string()) {
    jsonString(*value.string(), style.ensureAscii);
  } else if (const List *list = value.list()) {
    add("[");
    for (size_t i = 0; i < list->items.size(); ++i) {
      separate(i == 0, level + 1);
      json(list->items[i], style, level + 1);
    }
    if (!list->items.empty())
      separate(true, level);
    add("]");
  } else if (const Dict *dict = value.dict(); dict && !dict->isNamespace) {
    Fields fields = dict->fields;
    if (style.sortKeys)
      std::ranges::sort(fields, {}, [](const auto &field) { return field.first; });
    add("{");
    for (size_t i = 0; i < fields.size(); ++i) {
      separate(i == 0, level + 1);
      jsonString(fields[i].first, style.ensureAscii);
      add(style.keySeparator);
      json(fields[i].second, style, level + 1);
    }
    if (!fields.empty())
      separate(true, level);
    add("}");
  } else if (value.isNone()) {
    add("null");
  } else if (value.as<bool>()) {
    add(*value.as<bool>() ? "true" : "false");
  } else if (const double *number = value.as<double>(); number && !std::isfinite(*number)) {
    add(std::isnan(*number) ? "NaN" : *number < 0 ? "-Infinity" : "Infinity");
  } else if (value.isNumber()) {
    add(toText(value, limit));
  } else {
    throw Failure{fmt::format("a value of type {} is not JSON serializable", value.typeName())};
  }
}

std::string toText(const Value &value, size_t limit) {
  if (value.string())
    return *value.string();
  if (value.isUndefined())
    return "";
  if (value.isNone())
    return "None";
  if (value.as<bool>())
    return *value.as<bool>() ? "True" : "False";
  if (value.as<int64_t>())
    return std::to_string(value.integer());
  if (value.as<double>())
    return floatText(value.number());
  if (value.function())
    return "<function>";
  return toRepr(value, limit);
}

std::string toRepr(const Value &value, size_t limit) {
  Printer printer{{}, limit};
  printer.repr(value);
  return std::move(printer.text);
}

std::string toJson(const Value &value, const JsonStyle &style, size_t limit) {
  Printer printer{{}, limit};
  printer.json(value, style, 0);
  return std::move(printer.text);
}

} // namespace llmir::jinja
