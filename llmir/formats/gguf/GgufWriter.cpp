// Header, metadata, tensor table, then the tensors at multiples of GGUF's default alignment.
#include "llmir/formats/gguf/GgufWriter.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <unistd.h>

namespace llmir {

static constexpr uint64_t alignment = 32;

static uint64_t padding(uint64_t size) { return (alignment - size % alignment) % alignment; }

template <typename T> static void append(std::string &out, T value) {
  out.append(reinterpret_cast<const char *>(&value), sizeof value);
}

static void appendString(std::string &out, std::string_view text) {
  append(out, static_cast<uint64_t>(text.size()));
  out += text;
}

static std::string_view view(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

void GgufWriter::addValue(std::string_view key, const GgufValue &value) {
  appendString(metadata, key);
  append(metadata, value.isArray ? GgufType::Array : value.type);
  if (value.isArray) {
    append(metadata, value.type);
    append(metadata, value.count);
  }
  metadata += view({value.data, static_cast<size_t>(value.bytes)});
  ++keyCount;
}

/// A value made of `bytes` of already encoded elements.
static GgufValue encoded(GgufType type, bool isArray, uint64_t count, const void *data,
                         uint64_t bytes) {
  return {.type = type,
          .isArray = isArray,
          .count = count,
          .data = static_cast<const uint8_t *>(data),
          .bytes = bytes};
}

void GgufWriter::addString(std::string_view key, std::string_view value) {
  std::string text;
  appendString(text, value);
  addValue(key, encoded(GgufType::String, false, 1, text.data(), text.size()));
}

void GgufWriter::addStringArray(std::string_view key, std::span<const std::string> values) {
  std::string texts;
  for (const std::string &value : values)
    appendString(texts, value);
  addValue(key, encoded(GgufType::String, true, values.size(), texts.data(), texts.size()));
}

void GgufWriter::addF32Array(std::string_view key, std::span<const float> values) {
  addValue(key, encoded(GgufType::F32, true, values.size(), values.data(), values.size_bytes()));
}

void GgufWriter::addI32Array(std::string_view key, std::span<const int32_t> values) {
  addValue(key, encoded(GgufType::I32, true, values.size(), values.data(), values.size_bytes()));
}

void GgufWriter::addBoolArray(std::string_view key, const std::vector<bool> &values) {
  const std::vector<uint8_t> bytes(values.begin(), values.end());
  addValue(key, encoded(GgufType::Bool, true, bytes.size(), bytes.data(), bytes.size()));
}

void GgufWriter::addTensor(std::string_view tensor, Format format, std::vector<int64_t> shape,
                           std::span<const uint8_t> bytes) {
  tensorList.push_back({std::string(tensor), format, std::move(shape), bytes});
}

std::string GgufWriter::header() const {
  std::string out = "GGUF";
  append(out, uint32_t{3});
  append(out, static_cast<uint64_t>(tensorList.size()));
  append(out, keyCount);
  out += metadata;
  uint64_t offset = 0;
  for (const Tensor &tensor : tensorList) {
    appendString(out, tensor.name);
    append(out, static_cast<uint32_t>(tensor.shape.size()));
    for (auto size = tensor.shape.rbegin(); size != tensor.shape.rend(); ++size)
      append(out, *size);
    append(out, static_cast<uint32_t>(formatInfo(tensor.format).ggufType));
    append(out, offset);
    offset += tensor.bytes.size() + padding(tensor.bytes.size());
  }
  out.append(padding(out.size()), '\0');
  return out;
}

std::string GgufWriter::toBytes() const {
  std::string out = header();
  for (const Tensor &tensor : tensorList) {
    out += view(tensor.bytes);
    out.append(padding(out.size()), '\0');
  }
  return out;
}

Status GgufWriter::write(const std::string &path) const {
  const std::string temporary = fmt::format("{}.{}.part", path, getpid());
  std::FILE *file = std::fopen(temporary.c_str(), "wb");
  if (!file)
    return fail("{}: cannot be written: {}", temporary, std::strerror(errno));
  auto put = [&](std::string_view bytes) {
    return std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  };
  bool good = put(header());
  for (const Tensor &tensor : tensorList)
    good = good && put(view(tensor.bytes)) && put(std::string(padding(tensor.bytes.size()), '\0'));
  int cause = good ? 0 : errno ? errno : EIO;
  // Only closing tells that the last bytes found room.
  if (std::fclose(file) != 0 && !cause)
    cause = errno;
  if (!cause && std::rename(temporary.c_str(), path.c_str()) != 0)
    cause = errno;
  if (!cause)
    return {};
  std::remove(temporary.c_str());
  return fail("{}: cannot be written: {}", path, std::strerror(cause));
}

} // namespace llmir
