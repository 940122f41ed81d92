// nlohmann's parser behind limits, and typed access that knows where it is.
#include "llmir/formats/torch_export/Json.h"

#include "llmir/support/Shown.h"
#include <limits>

namespace llmir::torch_export {

using nlohmann::json;

static constexpr int maxDepth = 64;

Expected<json> parseJson(std::span<const uint8_t> bytes, const std::string &name, size_t maxBytes) {
  if (bytes.size() > maxBytes)
    return fail("{}: has {} bytes, at most {} are allowed", name, bytes.size(), maxBytes);
  struct TooDeep {};
  try {
    json document =
        json::parse(bytes.begin(), bytes.end(), [](int depth, json::parse_event_t, json &) -> bool {
          return depth <= maxDepth ? true : throw TooDeep();
        });
    if (!document.is_object())
      return fail("{}: is no JSON object; export the model again", name);
    return document;
  } catch (const TooDeep &) {
    return fail("{}: is nested more than {} deep", name, maxDepth);
  } catch (const json::exception &) {
    return fail("{}: is not JSON; export the model again", name);
  }
}

static std::string shownValue(const json &value) {
  if (value.is_object())
    return "an object";
  if (value.is_array())
    return "a list";
  if (value.is_string())
    return fmt::format("\"{}\"", shown(value.get_ref<const std::string &>()));
  return value.dump();
}

void Place::wrong(std::string_view expected) const {
  throw WrongJson{{fmt::format("{} is {}, expected {}", path.empty() ? "the document" : path,
                               shownValue(value), expected)}};
}

bool Place::has(const char *field) const {
  auto found = object().find(field);
  return found != object().end() && !found->second.is_null();
}

Place Place::operator[](const char *field) const {
  auto found = object().find(field);
  if (found == object().end())
    throw WrongJson{{fmt::format("{} has no \"{}\"", path.empty() ? "the document" : path, field)}};
  return {found->second, path.empty() ? field : fmt::format("{}.{}", path, field)};
}

Place Place::at(size_t index) const { return {value[index], fmt::format("{}[{}]", path, index)}; }

size_t Place::size() const {
  if (!value.is_array())
    wrong("a list");
  return value.size();
}

std::string Place::unionTag() const {
  std::string tag;
  for (const auto &[name, part] : object()) {
    if (part.is_null())
      continue;
    if (!tag.empty())
      wrong(fmt::format("one of {} and {}", shown(tag), shown(name)));
    tag = name;
  }
  if (tag.empty())
    wrong("one with a field");
  return tag;
}

const std::string &Place::text() const {
  if (!value.is_string())
    wrong("a string");
  return value.get_ref<const std::string &>();
}

int64_t Place::integer(int64_t least, int64_t most) const {
  const bool isInteger = value.is_number_integer() &&
                         !(value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX);
  if (!isInteger || value.get<int64_t>() < least || value.get<int64_t>() > most)
    wrong(least == INT64_MIN ? "an integer" : fmt::format("an integer from {} to {}", least, most));
  return value.get<int64_t>();
}

double Place::number() const {
  if (value.is_number())
    return value.get<double>();
  if (value == "Infinity")
    return std::numeric_limits<double>::infinity();
  if (value == "-Infinity")
    return -std::numeric_limits<double>::infinity();
  if (value == "NaN")
    return std::numeric_limits<double>::quiet_NaN();
  wrong("a number");
}

bool Place::flag() const {
  if (!value.is_boolean())
    wrong("true or false");
  return value.get<bool>();
}

const json::object_t &Place::object() const {
  if (!value.is_object())
    wrong("an object");
  return value.get_ref<const json::object_t &>();
}

} // namespace llmir::torch_export
