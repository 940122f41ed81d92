// Reads elements one after the other; GgufFile has checked that they lie within the file.
#include "llmir/cli/InspectionMetadata.h"

#include <cstring>

namespace llmir {

namespace {

using Json = nlohmann::ordered_json;

template <typename T> Json take(const uint8_t *&data) {
  T value;
  std::memcpy(&value, data, sizeof value);
  data += sizeof value;
  return value;
}

Json takeElement(GgufType type, const uint8_t *&data) {
  switch (type) {
  case GgufType::U8:
    return take<uint8_t>(data);
  case GgufType::I8:
    return take<int8_t>(data);
  case GgufType::U16:
    return take<uint16_t>(data);
  case GgufType::I16:
    return take<int16_t>(data);
  case GgufType::U32:
    return take<uint32_t>(data);
  case GgufType::I32:
    return take<int32_t>(data);
  case GgufType::F32:
    return take<float>(data);
  case GgufType::Bool:
    return *data++ != 0;
  case GgufType::U64:
    return take<uint64_t>(data);
  case GgufType::I64:
    return take<int64_t>(data);
  case GgufType::F64:
    return take<double>(data);
  case GgufType::String: {
    const auto length = size_t(take<uint64_t>(data).get<uint64_t>());
    std::string text(reinterpret_cast<const char *>(data), length);
    data += length;
    return text;
  }
  case GgufType::Array:
    break; // arrays of arrays are refused when the file is opened
  }
  return nullptr;
}

} // namespace

Json metadataValue(const GgufFile &file, std::string_view key, uint64_t most) {
  auto value = file.value(key);
  if (!value)
    return nullptr;
  const uint8_t *data = value->data;
  if (!value->isArray)
    return takeElement(value->type, data);
  Json list = Json::array();
  for (uint64_t i = 0; i < std::min(value->count, most); ++i)
    list.push_back(takeElement(value->type, data));
  return list;
}

} // namespace llmir
