// The checks of GGUF's header, metadata and tensor table. One pass forward; nothing is allocated
// that the file has not paid for in bytes.
#include "llmir/formats/gguf/Gguf.h"
#include "llmir/support/Shown.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fmt/ranges.h>

namespace llmir {

namespace {
constexpr int maxNesting = 4; // of arrays in arrays
constexpr uint64_t maxAlignment = 1 << 20;
constexpr uint64_t maxElements = uint64_t{1} << 48; // of a tensor

/// Bytes of an element of a fixed-size type, 0 for strings and arrays.
uint64_t fixedSize(GgufType type) {
  switch (type) {
  case GgufType::U8:
  case GgufType::I8:
  case GgufType::Bool:
    return 1;
  case GgufType::U16:
  case GgufType::I16:
    return 2;
  case GgufType::U32:
  case GgufType::I32:
  case GgufType::F32:
    return 4;
  case GgufType::U64:
  case GgufType::I64:
  case GgufType::F64:
    return 8;
  default:
    return 0;
  }
}

/// Names of tensor types that GGUF once had, to say more than a number.
const char *removedType(uint32_t type) {
  switch (type) {
  case 4:
    return "Q4_2";
  case 5:
    return "Q4_3";
  case 31:
  case 32:
  case 33:
    return "Q4_0 repacked for one processor";
  case 36:
  case 37:
  case 38:
    return "IQ4_NL repacked for one processor";
  default:
    return nullptr;
  }
}

int lastType() { return std::ranges::max(allFormats(), {}, &FormatInfo::ggufType).ggufType; }
} // namespace

class GgufParser {
public:
  GgufParser(std::span<const uint8_t> bytes, GgufFile &result) : bytes(bytes), out(result) {}

  Status run() {
    uint64_t tensorCount = 0, keyCount = 0;
    if (auto status = header(tensorCount, keyCount); !status)
      return status;
    for (uint64_t i = 0; i < keyCount; ++i)
      if (auto status = metadata(i); !status)
        return status;
    if (auto status = readAlignment(); !status)
      return status;
    for (uint64_t i = 0; i < tensorCount; ++i)
      if (auto status = tensorInfo(i); !status)
        return status;
    return placeTensors();
  }

private:
  std::span<const uint8_t> bytes;
  GgufFile &out;
  size_t at = 0;
  uint64_t alignment = 32;

  uint64_t left() const { return bytes.size() - at; }

  /// Something that no correct writer writes.
  template <typename... Args>
  Status damaged(fmt::format_string<Args...> format, Args &&...args) const {
    return fail("{}: {}; the file is damaged: fetch it or convert the model again", out.name,
                fmt::format(format, std::forward<Args>(args)...));
  }

  Status truncated(const std::string &what) const {
    return fail("{}: ends after {} bytes, in the middle of {}; the file is truncated: fetch it "
                "again",
                out.name, bytes.size(), what);
  }

  template <typename T> Status read(T &value, const std::string &what) {
    if (left() < sizeof(T))
      return truncated(what);
    std::memcpy(&value, bytes.data() + at, sizeof(T));
    at += sizeof(T);
    return {};
  }

  Status readString(std::string_view &text, const std::string &what) {
    uint64_t length = 0;
    if (auto status = read(length, what); !status)
      return status;
    if (length > left())
      return damaged("{} has a string of {} bytes, but only {} are left in the file", what, length,
                     left());
    text = {reinterpret_cast<const char *>(bytes.data()) + at, static_cast<size_t>(length)};
    at += length;
    return {};
  }

  Status header(uint64_t &tensorCount, uint64_t &keyCount) {
    if (bytes.empty())
      return fail("{}: is empty; pass a .gguf file", out.name);
    if (bytes.size() < 4 || std::memcmp(bytes.data(), "GGUF", 4) != 0)
      return fail("{}: is no GGUF file: starts with {:02x}, expected 'GGUF'; pass a .gguf file",
                  out.name, fmt::join(bytes.first(std::min<size_t>(4, bytes.size())), " "));
    at = 4;
    uint32_t version = 0;
    if (auto status = read(version, "the version"); !status)
      return status;
    if (version != 2 && version != 3) {
      uint32_t swapped = __builtin_bswap32(version);
      if (swapped == 2 || swapped == 3)
        return fail("{}: is a big-endian GGUF file, only little-endian ones are supported; convert "
                    "the model again",
                    out.name);
      return fail("{}: has GGUF version {}, versions 2 and 3 are supported; {}", out.name, version,
                  version < 2 ? "convert the model again" : "update LLMIR or fetch another file");
    }
    out.fileVersion = version;
    if (auto status = read(tensorCount, "the number of tensors"); !status)
      return status;
    if (auto status = read(keyCount, "the number of metadata keys"); !status)
      return status;
    // The smallest entries: name length, type and value; name length, dimensions, one size, type
    // and offset.
    if (keyCount > left() / 13)
      return damaged("the number of metadata keys is {}, but the file's {} bytes hold at most {}",
                     keyCount, bytes.size(), left() / 13);
    if (tensorCount > left() / 32)
      return damaged("the number of tensors is {}, but the file's {} bytes hold at most {}",
                     tensorCount, bytes.size(), left() / 32);
    return {};
  }

  Status metadata(uint64_t number) {
    std::string_view key;
    if (auto status = readString(key, fmt::format("the name of metadata key {}", number)); !status)
      return status;
    std::string what = fmt::format("metadata key '{}'", shown(key));
    uint32_t type = 0;
    if (auto status = read(type, what); !status)
      return status;
    if (type > static_cast<uint32_t>(GgufType::F64))
      return damaged("{} has the value type {}, types 0 to 12 exist", what, type);
    GgufValue value{.type = static_cast<GgufType>(type), .data = bytes.data() + at};
    if (value.type == GgufType::Array) {
      if (auto status = arrayHeader(value, what); !status)
        return status;
      value.data = bytes.data() + at;
      value.isArray = true;
    }
    if (auto status = skip(value.type, value.count, what, 1); !status)
      return status;
    value.bytes = static_cast<uint64_t>(bytes.data() + at - value.data);
    if (!out.values.emplace(key, value).second)
      return damaged("{} appears twice, once is allowed", what);
    out.keyOrder.push_back(key);
    return {};
  }

  Status arrayHeader(GgufValue &value, const std::string &what) {
    uint32_t type = 0;
    if (auto status = read(type, what); !status)
      return status;
    if (type > static_cast<uint32_t>(GgufType::F64))
      return damaged("{} is an array of type {}, types 0 to 12 exist", what, type);
    value.type = static_cast<GgufType>(type);
    return read(value.count, what);
  }

  /// Moves past `count` elements, checking that they are there.
  Status skip(GgufType type, uint64_t count, const std::string &what, int depth) {
    if (uint64_t size = fixedSize(type)) {
      if (count > left() / size)
        return count == 1
                   ? truncated(what)
                   : damaged(
                         "{} has {} elements of {} bytes, but only {} bytes are left in the file",
                         what, count, size, left());
      at += count * size;
      return {};
    }
    if (type == GgufType::String) {
      if (count > left() / 8)
        return damaged("{} has {} strings, but only {} bytes are left in the file", what, count,
                       left());
      for (uint64_t i = 0; i < count; ++i) {
        std::string_view text;
        if (auto status = readString(text, what); !status)
          return status;
      }
      return {};
    }
    if (depth >= maxNesting)
      return damaged("{} has arrays inside arrays, {} levels are allowed", what, maxNesting);
    if (count > left() / 12)
      return damaged("{} has {} arrays, but only {} bytes are left in the file", what, count,
                     left());
    for (uint64_t i = 0; i < count; ++i) {
      GgufValue inner{};
      if (auto status = arrayHeader(inner, what); !status)
        return status;
      if (auto status = skip(inner.type, inner.count, what, depth + 1); !status)
        return status;
    }
    return {};
  }

  Status readAlignment() {
    if (!out.has("general.alignment"))
      return {};
    auto value = out.getU64("general.alignment");
    if (!value)
      return forward(value);
    if (!std::has_single_bit(*value) || *value < 8 || *value > maxAlignment)
      return damaged(
          "metadata key 'general.alignment' is {}, it must be a power of two from 8 to {}", *value,
          maxAlignment);
    alignment = *value;
    return {};
  }

  Status tensorInfo(uint64_t number) {
    GgufTensor tensor;
    if (auto status = readString(tensor.name, fmt::format("the name of tensor {}", number));
        !status)
      return status;
    std::string what = fmt::format("tensor '{}'", shown(tensor.name));
    uint32_t dimensions = 0, type = 0;
    if (auto status = read(dimensions, what); !status)
      return status;
    if (dimensions < 1 || dimensions > 4)
      return damaged("{} has {} dimensions, 1 to 4 are allowed", what, dimensions);
    tensor.shape.resize(dimensions);
    uint64_t elements = 1;
    for (uint32_t d = 0; d < dimensions; ++d) {
      uint64_t size = 0;
      if (auto status = read(size, what); !status)
        return status;
      // Counted in elements, so that bytes and bits of any format stay far from overflow.
      if (size == 0 || __builtin_mul_overflow(elements, size, &elements) || elements > maxElements)
        return damaged(
            "{} has the size {} in dimension {}, it must be positive and the tensor have "
            "at most {} elements",
            what, size, d, maxElements);
      tensor.shape[dimensions - 1 - d] = static_cast<int64_t>(size);
    }
    if (auto status = read(type, what); !status)
      return status;
    auto format = formatByGgufType(type);
    if (!format) {
      if (const char *removed = removedType(type))
        return fail("{}: {} has the tensor type {} ({}), which GGUF has removed; convert the model "
                    "again",
                    out.name, what, type, removed);
      return fail(
          "{}: {} has the tensor type {}, types 0 to {} are known; update LLMIR or fetch the "
          "model in another type",
          out.name, what, type, lastType());
    }
    tensor.format = *format;
    const FormatInfo &info = formatInfo(*format);
    if (tensor.shape.back() % info.blockElements)
      return damaged("{} has rows of {} elements, {} needs a multiple of {}", what,
                     tensor.shape.back(), info.name, info.blockElements);
    if (auto status = read(tensor.offset, what); !status)
      return status;
    if (tensor.offset % alignment)
      return damaged("{} has the offset {}, it must be a multiple of the alignment {}", what,
                     tensor.offset, alignment);
    if (!out.tensorByName.emplace(tensor.name, out.tensorList.size()).second)
      return damaged("{} appears twice, once is allowed", what);
    // For now the size; placed when the table's end is known.
    uint64_t size = elements / info.blockElements * info.blockBytes;
    tensor.bytes = {static_cast<const uint8_t *>(nullptr), static_cast<size_t>(size)};
    out.tensorList.push_back(std::move(tensor));
    return {};
  }

  Status placeTensors() {
    if (out.tensorList.empty())
      return {};
    uint64_t start = (at + alignment - 1) / alignment * alignment;
    for (GgufTensor &tensor : out.tensorList) {
      uint64_t size = tensor.bytes.size();
      uint64_t room = start <= bytes.size() ? bytes.size() - start : 0;
      if (tensor.offset > room || size > room - tensor.offset)
        return fail("{}: tensor '{}' has {} bytes at offset {} of the tensor data, the file has {} "
                    "there; the file is truncated: fetch it again",
                    out.name, shown(tensor.name), size, tensor.offset, room);
      tensor.offset += start;
      tensor.bytes = bytes.subspan(tensor.offset, size);
    }
    std::vector<const GgufTensor *> order;
    for (const GgufTensor &tensor : out.tensorList)
      order.push_back(&tensor);
    std::ranges::sort(order, {}, &GgufTensor::offset);
    for (size_t i = 1; i < order.size(); ++i)
      if (order[i - 1]->offset + order[i - 1]->bytes.size() > order[i]->offset)
        return damaged(
            "tensors '{}' and '{}' overlap at offset {} of the file, each byte may belong "
            "to one",
            shown(order[i - 1]->name), shown(order[i]->name), order[i]->offset);
    return {};
  }
};

Expected<GgufFile> GgufFile::parse(std::span<const uint8_t> bytes, std::string name) {
  GgufFile result;
  result.name = std::move(name);
  if (auto status = GgufParser(bytes, result).run(); !status)
    return forward(status);
  return result;
}

Expected<GgufFile> GgufFile::open(const std::string &path) {
  auto mapped = MappedFile::open(path);
  if (!mapped)
    return fail("{}; pass a .gguf file", mapped.error().message);
  auto result = parse(mapped->bytes(), path);
  if (result) {
    result->fileStamp.add(mapped->info());
    result->file = std::move(*mapped);
  }
  return result;
}

Expected<GgufFile> GgufFile::assemble(std::span<const uint8_t> metadata, std::string name,
                                      GgufParts parts) {
  auto result = parse(metadata, std::move(name));
  if (!result)
    return result;
  result->fileStamp = parts.stamp;
  result->memory = std::move(parts.memory);
  result->ignored = std::move(parts.ignored);
  result->tensorList = std::move(parts.tensors);
  for (size_t i = 0; i < result->tensorList.size(); ++i)
    result->tensorByName.emplace(result->tensorList[i].name, i);
  return result;
}

} // namespace llmir
