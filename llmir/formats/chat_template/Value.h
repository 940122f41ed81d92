// The values that a chat template computes with: Python's, as far as JSON and Jinja need them.
// Containers are immutable and shared; only a namespace changes, and none can hold another, so
// there are no cycles.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>
#include <vector>

namespace llmir::jinja {

/// Thrown inside the interpreter only; ChatTemplate turns it into an Error.
struct Failure {
  std::string message;
  int line = 0; // 0: not known yet
};

class Value;
using Values = std::vector<Value>;
using Fields = std::vector<std::pair<std::string, Value>>; // insertion order

struct Arguments {
  Values positional;
  Fields named;
  /// The argument at a position or of a name; nullptr where it was not given.
  const Value *get(size_t position, std::string_view name) const;
};
using Function = std::function<Value(Arguments &)>;

struct Undefined {
  std::string name;
};
struct None {};
struct List {
  Values items;
  bool tuple = false;
  int depth = 1;
};
struct Dict {
  Fields fields;
  bool isNamespace = false;
  int depth = 1;
};

class Value {
public:
  using Data =
      std::variant<Undefined, None, bool, int64_t, double, std::shared_ptr<const std::string>,
                   std::shared_ptr<List>, std::shared_ptr<Dict>, std::shared_ptr<Function>>;
  Value() : data(Undefined{}) {}
  Value(Data data) : data(std::move(data)) {}
  Value(bool value) : data(value) {}
  Value(int64_t value) : data(value) {}
  Value(double value) : data(value) {}
  Value(std::string text) : data(std::make_shared<const std::string>(std::move(text))) {}
  Value(const char *) = delete;
  static Value none() { return Value(Data(None{})); }
  static Value undefined(std::string name) { return Value(Data(Undefined{std::move(name)})); }
  static Value list(Values items, bool tuple = false);
  static Value dict(Fields fields, bool isNamespace = false);
  static Value function(Function call) {
    return Value(Data(std::make_shared<Function>(std::move(call))));
  }
  static Value fromJson(const nlohmann::ordered_json &json, int depth = 0);

  template <typename T> const T *as() const { return std::get_if<T>(&data); }
  bool isUndefined() const { return as<Undefined>(); }
  bool isNone() const { return as<None>(); }
  bool isNumber() const { return as<bool>() || as<int64_t>() || as<double>(); }
  const std::string *string() const {
    auto text = as<std::shared_ptr<const std::string>>();
    return text ? text->get() : nullptr;
  }
  List *list() const {
    auto list = as<std::shared_ptr<List>>();
    return list ? list->get() : nullptr;
  }
  Dict *dict() const {
    auto dict = as<std::shared_ptr<Dict>>();
    return dict ? dict->get() : nullptr;
  }
  const Function *function() const {
    auto call = as<std::shared_ptr<Function>>();
    return call ? call->get() : nullptr;
  }
  bool integral() const { return as<bool>() || as<int64_t>(); }
  int64_t integer() const; // of a bool or an integer
  double number() const;   // of any number

  bool truthy() const;
  const char *typeName() const; // Python's
  int depth() const;
  const Value *field(std::string_view name) const; // of a dict

private:
  Data data;
};

bool equal(const Value &a, const Value &b);
/// Python's <; throws for types without an order.
bool less(const Value &a, const Value &b);
bool contains(const Value &container, const Value &item);

std::string toText(const Value &value, size_t limit); // str()
std::string toRepr(const Value &value, size_t limit); // repr()
struct JsonStyle {
  bool ensureAscii = false, sortKeys = false;
  std::string indent; // of one level
  bool lines = false;
  std::string itemSeparator = ", ", keySeparator = ": ";
};
std::string toJson(const Value &value, const JsonStyle &style, size_t limit);

/// Items of a list, characters of a string, keys of a dict, nothing of an undefined value; throws
/// for others.
Values iterate(const Value &value);

} // namespace llmir::jinja
