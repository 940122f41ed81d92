// Reads GGUF files, versions 2 and 3: metadata and tensors, as views into the mapped file. Nothing
// of the file is trusted: every count, length, type and offset is checked when the file is opened.
// Source: the GGUF specification (ggml, docs/gguf.md).
#pragma once

#include "llmir/quant/Format.h"
#include "llmir/support/Error.h"
#include "llmir/support/FileStamp.h"
#include "llmir/support/MappedFile.h"
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace llmir {

/// GGUF's metadata value types, by their numbers in the file.
enum class GgufType : uint32_t {
  U8,
  I8,
  U16,
  I16,
  U32,
  I32,
  F32,
  Bool,
  String,
  Array,
  U64,
  I64,
  F64
};

struct GgufTensor {
  std::string_view name;
  Format format;
  std::vector<int64_t>
      shape; ///< row-major: the last dimension is contiguous ([rows, columns] of a matrix)
  uint64_t offset = 0; ///< from the start of the file
  /// All rows, one after the other; empty where `matrices` has them.
  std::span<const uint8_t> bytes = {};

  // How tensors lie that come from elsewhere (formats/huggingface); TensorBytes.h reads them all.
  std::vector<std::span<const uint8_t>> matrices =
      {};                  ///< one for each index of the first dimension
  int64_t halvedHeads = 0; ///< of this many heads, each has its rows in halves: not GGUF's order
  std::string_view origin = {}; ///< the name there

  uint64_t byteCount() const {
    return matrices.empty() ? bytes.size() : matrices.size() * matrices.front().size();
  }
  /// For people: as it is called where it comes from.
  std::string_view knownAs() const { return origin.empty() ? name : origin; }
};

/// What GgufFile::assemble makes a file of besides metadata.
struct GgufParts {
  std::vector<GgufTensor> tensors;  ///< each name once
  std::vector<std::string> ignored; ///< names of tensors that have no place in the model
  FileStamp stamp;
  std::shared_ptr<const void> memory; ///< keeps what metadata and tensors refer to
};

/// One metadata value: where it lies. Scalars and strings have one element.
struct GgufValue {
  GgufType type; ///< of the elements, if it is an array
  bool isArray = false;
  uint64_t count = 1;
  /// The first element; strings are a u64 length and bytes, one after the other.
  const uint8_t *data = nullptr;
  uint64_t bytes = 0; ///< of all elements together
};

class GgufFile {
public:
  /// Maps and checks a file. Errors name the file, the field, its value and what is allowed.
  static Expected<GgufFile> open(const std::string &path);
  /// The same for bytes that outlive the result; `name` stands for the path in errors.
  static Expected<GgufFile> parse(std::span<const uint8_t> bytes, std::string name);

  /// A model that lies in other formats, seen as GGUF: `metadata` is a file without tensors, and
  /// well-formed.
  static Expected<GgufFile> assemble(std::span<const uint8_t> metadata, std::string name,
                                     GgufParts parts);

  const std::string &path() const { return name; }
  /// Of all files that the model was read from; of parsed bytes, nothing.
  const FileStamp &stamp() const { return fileStamp; }
  uint32_t version() const { return fileVersion; }
  /// It is no GGUF file, but a model in other formats.
  bool isAssembled() const { return memory != nullptr; }

  /// Keys in the order of the file.
  const std::vector<std::string_view> &keys() const { return keyOrder; }
  bool has(std::string_view key) const { return values.contains(key); }
  /// Where a value lies and of which type it is: for listing and copying. Fails if the key is
  /// missing.
  Expected<GgufValue> value(std::string_view key) const;

  // Typed access. The get functions fail if the key is missing or of another type, the find
  // functions only if it is of another type. Integers may be stored in any integer type that holds
  // the value; floats as f32 or f64.
  Expected<uint64_t> getU64(std::string_view key) const;
  Expected<int64_t> getI64(std::string_view key) const;
  Expected<float> getF32(std::string_view key) const;
  Expected<bool> getBool(std::string_view key) const;
  Expected<std::string_view> getString(std::string_view key) const;
  Expected<std::vector<std::string_view>> getStringArray(std::string_view key) const;
  Expected<std::vector<float>> getF32Array(std::string_view key) const;
  Expected<std::vector<int32_t>> getI32Array(std::string_view key) const;
  Expected<std::vector<bool>> getBoolArray(std::string_view key) const;
  Expected<std::optional<uint64_t>> findU64(std::string_view key) const;
  Expected<std::optional<int64_t>> findI64(std::string_view key) const;
  Expected<std::optional<float>> findF32(std::string_view key) const;
  Expected<std::optional<bool>> findBool(std::string_view key) const;
  Expected<std::optional<std::string_view>> findString(std::string_view key) const;
  Expected<std::optional<std::vector<std::string_view>>>
  findStringArray(std::string_view key) const;
  Expected<std::optional<std::vector<float>>> findF32Array(std::string_view key) const;
  Expected<std::optional<std::vector<int32_t>>> findI32Array(std::string_view key) const;

  const std::vector<GgufTensor> &tensors() const { return tensorList; }
  /// Null if there is no such tensor.
  const GgufTensor *findTensor(std::string_view tensor) const;
  /// Names of tensors beside these that nothing can use.
  const std::vector<std::string> &ignoredTensors() const { return ignored; }

private:
  friend class GgufParser;
  template <typename T>
  Expected<std::vector<T>> numbers(std::string_view key, const char *expected) const;

  MappedFile file;
  std::shared_ptr<const void> memory;
  FileStamp fileStamp;
  std::string name;
  uint32_t fileVersion = 0;
  std::vector<std::string_view> keyOrder;
  std::unordered_map<std::string_view, GgufValue> values;
  std::vector<GgufTensor> tensorList;
  std::unordered_map<std::string_view, size_t> tensorByName;
  std::vector<std::string> ignored;
};

} // namespace llmir
