// nlohmann's parser behind limits, and typed access.
#include "llmir/formats/huggingface/JsonFields.h"

#include "llmir/support/Shown.h"
#include <cfloat>
#include <cmath>

namespace llmir::huggingface {

static constexpr int maxDepth = 32;

Expected<Json> parseObject(std::span<const uint8_t> bytes, const std::string &path,
                           size_t maxBytes) {
  if (bytes.size() > maxBytes)
    return fail("{}: has {} bytes, at most {} are allowed", path, bytes.size(), maxBytes);
  struct TooDeep {};
  try {
    Json json =
        Json::parse(bytes.begin(), bytes.end(), [](int depth, Json::parse_event_t, Json &) -> bool {
          return depth <= maxDepth ? true : throw TooDeep();
        });
    if (!json.is_object())
      return fail("{}: is {}, expected an object; fetch it again", path, shownValue(json));
    return json;
  } catch (const TooDeep &) {
    return fail("{}: is nested more than {} deep", path, maxDepth);
  } catch (const Json::parse_error &error) {
    return fail("{}: is not JSON at byte {}; fetch it again", path, error.byte);
  } catch (const Json::exception &) { // a number that no type holds
    return fail("{}: is not JSON; fetch it again", path);
  }
}

std::string shownValue(const Json &value) {
  if (value.is_object())
    return "an object";
  if (value.is_array())
    return "a list";
  if (value.is_string())
    return fmt::format("\"{}\"", shown(value.get_ref<const std::string &>()));
  return value.dump();
}

const Json *JsonFields::find(const std::string &key) const {
  auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

bool JsonFields::isNull(const std::string &key) const {
  auto found = object.find(key);
  return found != object.end() && found->is_null();
}

const Json *JsonFields::findOr(const std::string &key, bool isOptional) const {
  const Json *value = find(key);
  if (!value && !isOptional)
    report(fmt::format("has no \"{}{}\"", prefix, key));
  return value;
}

void JsonFields::report(std::string_view what) const {
  if (status)
    status = fail("{}: {}", path, what);
}

void JsonFields::wrong(const std::string &key, const Json &value, std::string_view expected) const {
  report(
      fmt::format("\"{}{}\" is {}, expected {}", prefix, shown(key), shownValue(value), expected));
}

int64_t JsonFields::integer(const std::string &key, std::optional<int64_t> absent, int64_t least,
                            int64_t most) const {
  const Json *value = findOr(key, absent.has_value());
  if (!value)
    return absent.value_or(least);
  // Beyond int64_t, numbers are unsigned.
  const bool isInteger = value->is_number_integer() &&
                         !(value->is_number_unsigned() && value->get<uint64_t>() > INT64_MAX);
  const int64_t number = isInteger ? value->get<int64_t>() : 0;
  if (isInteger && number >= least && number <= most)
    return number;
  wrong(key, *value, fmt::format("an integer from {} to {}", least, most));
  return least;
}

double JsonFields::positive(const std::string &key, std::optional<double> absent) const {
  const Json *value = findOr(key, absent.has_value());
  if (!value)
    return absent.value_or(1);
  const double number = value->is_number() ? value->get<double>() : 0;
  if (number >= FLT_MIN && number <= FLT_MAX)
    return number;
  wrong(key, *value, "a positive number");
  return 1;
}

bool JsonFields::flag(const std::string &key, bool absent) const {
  const Json *value = find(key);
  if (value && !value->is_boolean())
    wrong(key, *value, "true or false");
  return value && value->is_boolean() ? value->get<bool>() : absent;
}

std::string JsonFields::text(const std::string &key, const std::string &absent) const {
  const Json *value = find(key);
  if (value && value->is_string())
    return value->get<std::string>();
  if (value)
    wrong(key, *value, "a string");
  return absent;
}

} // namespace llmir::huggingface
