// Reads JSON that is not trusted, one object at a time: what is missing, of another type or out of
// range becomes one line that names it.
#pragma once

#include "llmir/support/Error.h"
#include <nlohmann/json.hpp>
#include <string>

namespace llmir {

using Json = nlohmann::ordered_json;

/// Reads the fields of one JSON object; the first error stays.
class FieldReader {
public:
  FieldReader(const Json &object, std::string context, Status &status)
      : object(object), context(std::move(context)), status(status) {
    if (!object.is_object())
      report("is not an object");
  }

  const Json *find(const char *key) {
    if (!status)
      return nullptr;
    auto found = object.find(key);
    if (found == object.end()) {
      report(fmt::format("the field \"{}\" is missing", key));
      return nullptr;
    }
    return &*found;
  }

  void read(const char *key, std::string &value) {
    const Json *field = find(key);
    if (!field)
      return;
    if (!field->is_string())
      return report(fmt::format("the field \"{}\" is not a string", key));
    value = field->get<std::string>();
  }

  void read(const char *key, std::string &value, std::initializer_list<const char *> allowed) {
    read(key, value);
    if (!status)
      return;
    for (const char *candidate : allowed)
      if (value == candidate)
        return;
    report(fmt::format("the field \"{}\" is \"{}\"", key, value));
  }

  template <typename Int> void read(const char *key, Int &value, int64_t least, int64_t most) {
    const Json *field = find(key);
    if (!field)
      return;
    bool fits = field->is_number_unsigned() ? field->get<uint64_t>() <= uint64_t(most)
                                            : field->is_number_integer();
    if (!fits || field->get<int64_t>() < least || field->get<int64_t>() > most)
      return report(fmt::format("the field \"{}\" is {}, a whole number from {} to {} is expected",
                                key, field->dump(-1, ' ', true, Json::error_handler_t::replace),
                                least, most));
    value = Int(field->get<int64_t>());
  }

  void report(std::string_view what) {
    if (status)
      status = fail("{}: {}", context, what);
  }

private:
  const Json &object;
  std::string context;
  Status &status;
};

} // namespace llmir
