// Writes GGUF files, version 3: what makes models for tests and what `llmir quantize` writes.
// Source: the GGUF specification (ggml, docs/gguf.md).
#pragma once

#include "llmir/formats/gguf/Gguf.h"

namespace llmir {

class GgufWriter {
public:
  // Metadata, in the order of the calls. The caller gives each key once.
  void addU32(std::string_view key, uint32_t value) { addScalar(key, GgufType::U32, value); }
  void addU64(std::string_view key, uint64_t value) { addScalar(key, GgufType::U64, value); }
  void addI32(std::string_view key, int32_t value) { addScalar(key, GgufType::I32, value); }
  void addF32(std::string_view key, float value) { addScalar(key, GgufType::F32, value); }
  void addBool(std::string_view key, bool value) {
    addScalar(key, GgufType::Bool, static_cast<uint8_t>(value));
  }
  void addString(std::string_view key, std::string_view value);
  void addStringArray(std::string_view key, std::span<const std::string> values);
  void addF32Array(std::string_view key, std::span<const float> values);
  void addI32Array(std::string_view key, std::span<const int32_t> values);
  void addBoolArray(std::string_view key, const std::vector<bool> &values);
  /// A value of another file, as it is there.
  void addValue(std::string_view key, const GgufValue &value);

  /// `shape` is row-major, as in GgufTensor, with 1 to 4 dimensions and rows of whole blocks;
  /// `bytes` holds exactly the tensor and must live until the file is written.
  void addTensor(std::string_view tensor, Format format, std::vector<int64_t> shape,
                 std::span<const uint8_t> bytes);

  /// The whole file in memory.
  std::string toBytes() const;
  /// Writes beside `path` and renames, so that a reader never sees half a file. Errors name the
  /// path and the cause.
  Status write(const std::string &path) const;

private:
  template <typename T> void addScalar(std::string_view key, GgufType type, T value) {
    addValue(
        key,
        {.type = type, .data = reinterpret_cast<const uint8_t *>(&value), .bytes = sizeof value});
  }
  struct Tensor {
    std::string name;
    Format format;
    std::vector<int64_t> shape;
    std::span<const uint8_t> bytes;
  };
  std::string header() const;

  std::string metadata;
  uint64_t keyCount = 0;
  std::vector<Tensor> tensorList;
};

} // namespace llmir
