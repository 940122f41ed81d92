// Typed access to GGUF metadata; see Gguf.h. The positions were checked by the parser.
#include "llmir/formats/gguf/Gguf.h"

#include <cstring>
#include <type_traits>
#include <utility>

namespace llmir {

static std::string typeName(const GgufValue &value) {
  static constexpr const char *names[] = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                          "bool", "string", "array", "u64", "i64", "f64"};
  const char *element = names[static_cast<uint32_t>(value.type)];
  return value.isArray ? fmt::format("an array of {}", element) : element;
}

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
      result = static_cast<T>(number);
    }
  });
  return result;
}

Expected<GgufValue> GgufFile::value(std::string_view key) const {
  auto found = values.find(key);
  if (found == values.end())
    return fail("{}: has no metadata key '{}'", name, key);
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
    return fail("{}: metadata key '{}' is {} or out of range, expected {}", name, key,
                typeName(*value), expected);
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
    return fail("{}: metadata key '{}' is {}, expected bool", name, key, typeName(*found));
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
    return fail("{}: metadata key '{}' is {}, expected string", name, key, typeName(*found));
  return stringAt(found->data);
}

Expected<std::vector<std::string_view>> GgufFile::getStringArray(std::string_view key) const {
  auto found = value(key);
  if (!found)
    return forward(found);
  if (!found->isArray || found->type != GgufType::String)
    return fail("{}: metadata key '{}' is {}, expected an array of string", name, key,
                typeName(*found));
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
  uint64_t bytes = numberBytes(found->type);
  std::vector<T> result;
  if (found->isArray && bytes) {
    result.reserve(found->count);
    for (uint64_t i = 0; i < found->count; ++i) {
      auto number = numberAs<T>(found->type, found->data + i * bytes);
      if (!number)
        break;
      result.push_back(*number);
    }
  }
  if (!found->isArray || !bytes || result.size() != found->count)
    return fail("{}: metadata key '{}' is {} or out of range, expected {}", name, key,
                typeName(*found), expected);
  return result;
}

Expected<std::vector<float>> GgufFile::getF32Array(std::string_view key) const {
  return numbers<float>(key, "an array of floats");
}
Expected<std::vector<int32_t>> GgufFile::getI32Array(std::string_view key) const {
  return numbers<int32_t>(key, "an array of 32-bit integers");
}

/// get, with nothing for a missing key.
template <typename T> static Expected<std::optional<T>> found(bool has, Expected<T> value) {
  if (!has)
    return std::optional<T>();
  if (!value)
    return forward(value);
  return std::optional<T>(*value);
}
Expected<std::optional<uint64_t>> GgufFile::findU64(std::string_view key) const {
  return found(has(key), getU64(key));
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

const GgufTensor *GgufFile::findTensor(std::string_view tensor) const {
  auto found = tensorByName.find(tensor);
  return found == tensorByName.end() ? nullptr : &tensorList[found->second];
}

} // namespace llmir
