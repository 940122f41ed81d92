// Typed access to GGUF metadata; see Gguf.h. The positions were checked by the parser.
#include "llmir/formats/gguf/Gguf.h"
#include "llmir/support/Shown.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

namespace llmir {

static std::string typeName(const GgufValue &value) {
  static constexpr const char *names[] = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                          "bool", "string", "array", "u64", "i64", "f64"};
  const char *element = names[static_cast<uint32_t>(value.type)];
  return value.isArray ? fmt::format("an array of {}", element) : element;
}

/// The end of every error about a value: what the user can do.
static constexpr const char *wayOut = "convert the model again or fetch another file";

template <typename T> static T load(const uint8_t *data) {
  T value;
  std::memcpy(&value, data, sizeof value);
  return value;
}

/// Calls `use` with the number at `data`, in its own type. False for types that are no numbers.
template <typename Use> static bool visitNumber(GgufType type, const uint8_t *data, Use use) {
  switch (type) {
  case GgufType::U8:
    return use(load<uint8_t>(data)), true;
  case GgufType::I8:
    return use(load<int8_t>(data)), true;
  case GgufType::U16:
    return use(load<uint16_t>(data)), true;
  case GgufType::I16:
    return use(load<int16_t>(data)), true;
  case GgufType::U32:
    return use(load<uint32_t>(data)), true;
  case GgufType::I32:
    return use(load<int32_t>(data)), true;
  case GgufType::U64:
    return use(load<uint64_t>(data)), true;
  case GgufType::I64:
    return use(load<int64_t>(data)), true;
  case GgufType::F32:
    return use(load<float>(data)), true;
  case GgufType::F64:
    return use(load<double>(data)), true;
  default:
    return false;
  }
}

/// The value as T if it is a number of T's kind (integer or float) in T's range.
template <typename T> static std::optional<T> numberAs(GgufType type, const uint8_t *data) {
  std::optional<T> result;
  visitNumber(type, data, [&](auto number) {
    using N = decltype(number);
    if constexpr (std::is_integral_v<T> && std::is_integral_v<N>) {
      if (std::in_range<T>(number))
        result = static_cast<T>(number);
    } else if constexpr (std::is_floating_point_v<T> && std::is_floating_point_v<N>) {
      if (!(std::fabs(number) > std::numeric_limits<T>::max()) || std::isinf(number))
        result = static_cast<T>(number);
    }
  });
  return result;
}

/// "u32 7": type and value of a number that lies at `data`.
static std::string shownNumber(GgufType type, const uint8_t *data) {
  std::string text = typeName({.type = type});
  visitNumber(type, data, [&](auto number) { text += fmt::format(" {}", number); });
  return text;
}

/// A number's error shows its value too: it may be of the right type, but out of range.
static Error wrongType(const std::string &name, std::string_view key, const GgufValue &value,
                       const char *expected) {
  return {fmt::format("{}: metadata key '{}' is {}, expected {}; {}", name, shown(key),
                      value.isArray ? typeName(value) : shownNumber(value.type, value.data),
                      expected, wayOut)};
}

Expected<GgufValue> GgufFile::value(std::string_view key) const {
  auto found = values.find(key);
  if (found == values.end())
    return fail("{}: has no metadata key '{}'; {}", name, shown(key), wayOut);
  return found->second;
}

template <typename T>
static Expected<T> scalar(const std::string &name, std::string_view key, Expected<GgufValue> value,
                          const char *expected) {
  if (!value)
    return forward(value);
  std::optional<T> number;
  if (!value->isArray)
    number = numberAs<T>(value->type, value->data);
  if (!number)
    return tl::unexpected(wrongType(name, key, *value, expected));
  return *number;
}

Expected<uint64_t> GgufFile::getU64(std::string_view key) const {
  return scalar<uint64_t>(name, key, value(key), "an integer that is not negative");
}
Expected<int64_t> GgufFile::getI64(std::string_view key) const {
  return scalar<int64_t>(name, key, value(key), "an integer");
}
Expected<float> GgufFile::getF32(std::string_view key) const {
  return scalar<float>(name, key, value(key), "a float");
}

Expected<bool> GgufFile::getBool(std::string_view key) const {
  auto found = value(key);
  if (!found)
    return forward(found);
  if (found->isArray || found->type != GgufType::Bool)
    return tl::unexpected(wrongType(name, key, *found, "a bool"));
  return *found->data != 0;
}

static std::string_view stringAt(const uint8_t *data) {
  return {reinterpret_cast<const char *>(data) + 8, static_cast<size_t>(load<uint64_t>(data))};
}

Expected<std::string_view> GgufFile::getString(std::string_view key) const {
  auto found = value(key);
  if (!found)
    return forward(found);
  if (found->isArray || found->type != GgufType::String)
    return tl::unexpected(wrongType(name, key, *found, "a string"));
  return stringAt(found->data);
}

Expected<std::vector<std::string_view>> GgufFile::getStringArray(std::string_view key) const {
  auto found = value(key);
  if (!found)
    return forward(found);
  if (!found->isArray || found->type != GgufType::String)
    return tl::unexpected(wrongType(name, key, *found, "an array of strings"));
  std::vector<std::string_view> strings;
  strings.reserve(found->count);
  const uint8_t *data = found->data;
  for (uint64_t i = 0; i < found->count; ++i) {
    strings.push_back(stringAt(data));
    data += 8 + strings.back().size();
  }
  return strings;
}

static uint64_t numberBytes(GgufType type) {
  uint64_t bytes = 0;
  const uint8_t zeros[8] = {};
  visitNumber(type, zeros, [&](auto number) { bytes = sizeof number; });
  return bytes;
}

template <typename T>
Expected<std::vector<T>> GgufFile::numbers(std::string_view key, const char *expected) const {
  auto found = value(key);
  if (!found)
    return forward(found);
  const uint64_t bytes = numberBytes(found->type);
  if (!found->isArray || !bytes)
    return tl::unexpected(wrongType(name, key, *found, expected));
  std::vector<T> result;
  result.reserve(found->count);
  for (uint64_t i = 0; i < found->count; ++i) {
    const uint8_t *data = found->data + i * bytes;
    auto number = numberAs<T>(found->type, data);
    if (!number)
      return fail("{}: metadata key '{}' has the element {} at index {}, expected {}; {}", name,
                  shown(key), shownNumber(found->type, data), i, expected, wayOut);
    result.push_back(*number);
  }
  return result;
}

Expected<std::vector<float>> GgufFile::getF32Array(std::string_view key) const {
  return numbers<float>(key, "an array of floats");
}
Expected<std::vector<int32_t>> GgufFile::getI32Array(std::string_view key) const {
  return numbers<int32_t>(key, "an array of 32-bit integers");
}

Expected<std::vector<bool>> GgufFile::getBoolArray(std::string_view key) const {
  auto found = value(key);
  if (!found)
    return forward(found);
  if (!found->isArray || found->type != GgufType::Bool)
    return tl::unexpected(wrongType(name, key, *found, "an array of booleans"));
  return std::vector<bool>(found->data, found->data + found->count);
}

/// get, with nothing for a missing key.
template <typename T> static Expected<std::optional<T>> found(bool has, Expected<T> value) {
  if (!has)
    return std::optional<T>();
  if (!value)
    return forward(value);
  return std::optional<T>(std::move(*value));
}
Expected<std::optional<uint64_t>> GgufFile::findU64(std::string_view key) const {
  return found(has(key), getU64(key));
}
Expected<std::optional<int64_t>> GgufFile::findI64(std::string_view key) const {
  return found(has(key), getI64(key));
}
Expected<std::optional<float>> GgufFile::findF32(std::string_view key) const {
  return found(has(key), getF32(key));
}
Expected<std::optional<bool>> GgufFile::findBool(std::string_view key) const {
  return found(has(key), getBool(key));
}
Expected<std::optional<std::string_view>> GgufFile::findString(std::string_view key) const {
  return found(has(key), getString(key));
}

Expected<std::optional<std::vector<std::string_view>>>
GgufFile::findStringArray(std::string_view key) const {
  return found(has(key), getStringArray(key));
}
Expected<std::optional<std::vector<float>>> GgufFile::findF32Array(std::string_view key) const {
  return found(has(key), getF32Array(key));
}
Expected<std::optional<std::vector<int32_t>>> GgufFile::findI32Array(std::string_view key) const {
  return found(has(key), getI32Array(key));
}

const GgufTensor *GgufFile::findTensor(std::string_view tensor) const {
  auto found = tensorByName.find(tensor);
  return found == tensorByName.end() ? nullptr : &tensorList[found->second];
}

} // namespace llmir
