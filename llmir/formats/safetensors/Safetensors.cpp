// The header's length, then every entry's type, shape and place; last, that the tensors fill the
// file without a gap.
#include "llmir/formats/safetensors/Safetensors.h"

#include "llmir/formats/safetensors/HeaderReader.h"
#include "llmir/support/Shown.h"
#include <algorithm>
#include <cstring>
#include <fmt/ranges.h>

namespace llmir {

static constexpr uint64_t maxHeaderBytes = 100'000'000;

static constexpr SafetensorsType types[] = {{"BOOL", 8, {}},
                                            {"U8", 8, {}},
                                            {"I8", 8, Format::I8},
                                            {"I16", 16, Format::I16},
                                            {"U16", 16, {}},
                                            {"F16", 16, Format::F16},
                                            {"BF16", 16, Format::BF16},
                                            {"I32", 32, Format::I32},
                                            {"U32", 32, {}},
                                            {"F32", 32, Format::F32},
                                            {"I64", 64, Format::I64},
                                            {"U64", 64, {}},
                                            {"F64", 64, Format::F64},
                                            {"C64", 64, {}},
                                            {"F4", 4, {}},
                                            {"F6_E2M3", 6, {}},
                                            {"F6_E3M2", 6, {}},
                                            {"F8_E4M3", 8, {}},
                                            {"F8_E5M2", 8, {}},
                                            {"F8_E8M0", 8, {}}};

template <typename... Args>
static tl::unexpected<Error> damaged(const std::string &name, fmt::format_string<Args...> format,
                                     Args &&...args) {
  return fail("{}: {}; the file is damaged: fetch it again", name,
              fmt::format(format, std::forward<Args>(args)...));
}

/// Bytes of a tensor of this shape, nothing if no file could hold them.
static std::optional<uint64_t> bytesOf(const HeaderEntry &entry, const SafetensorsType &type) {
  if (std::ranges::find(entry.shape, uint64_t(0)) != entry.shape.end())
    return 0;
  uint64_t bits = uint64_t(type.bits);
  for (uint64_t size : entry.shape)
    if (__builtin_mul_overflow(bits, size, &bits))
      return std::nullopt;
  return bits % 8 ? std::nullopt : std::optional(bits / 8);
}

static Expected<SafetensorsTensor> checkEntry(const HeaderEntry &entry,
                                              std::span<const uint8_t> data, uint64_t dataOffset,
                                              const std::string &name) {
  auto type = std::ranges::find(types, entry.type, &SafetensorsType::name);
  if (type == std::end(types)) {
    std::vector<std::string_view> known;
    for (const SafetensorsType &row : types)
      known.push_back(row.name);
    return fail("{}: tensor '{}' has the dtype {}, which is not known; known: {}", name,
                shown(entry.name), shown(entry.type), fmt::join(known, ", "));
  }
  const uint64_t begin = entry.offsets[0], end = entry.offsets[1];
  if (begin > end || end > data.size())
    return fail("{}: tensor '{}' has the data_offsets [{}, {}], the file has {} bytes of tensors; "
                "the file is truncated or damaged: fetch it again",
                name, shown(entry.name), begin, end, data.size());
  const auto bytes = bytesOf(entry, *type);
  if (!bytes || *bytes != end - begin)
    return damaged(name, "tensor '{}' has {} bytes, its shape [{}] of {} does not",
                   shown(entry.name), end - begin, fmt::join(entry.shape, ", "), type->name);
  SafetensorsTensor tensor{.name = entry.name,
                           .type = type,
                           .shape = {},
                           .offset = dataOffset + begin,
                           .bytes = data.subspan(begin, end - begin)};
  for (uint64_t size : entry.shape) {
    if (size > INT64_MAX) // beside a 0
      return damaged(name, "tensor '{}' has the shape [{}]", shown(entry.name),
                     fmt::join(entry.shape, ", "));
    tensor.shape.push_back(int64_t(size));
  }
  return tensor;
}

Expected<std::vector<SafetensorsTensor>> parseSafetensors(std::span<const uint8_t> bytes,
                                                          const std::string &name) {
  if (bytes.size() < 8)
    return fail(
        "{}: is no safetensors file: it has {} bytes, at least 8 are needed; fetch it again", name,
        bytes.size());
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  if (length > maxHeaderBytes)
    return fail("{}: is no safetensors file: its first 8 bytes ask for a header of {} bytes, at "
                "most {} are allowed",
                name, length, maxHeaderBytes);
  if (length > bytes.size() - 8)
    return fail("{}: ends after {} bytes, within its header of {}; the file is truncated: fetch it "
                "again",
                name, bytes.size(), length);
  const std::string_view json(reinterpret_cast<const char *>(bytes.data()) + 8, size_t(length));
  if (!json.starts_with('{'))
    return damaged(name, "the header does not begin with '{{'");
  auto entries = readSafetensorsHeader(json);
  if (!entries)
    return damaged(name, "{}", entries.error().message);

  std::vector<SafetensorsTensor> tensors;
  tensors.reserve(entries->size());
  for (const HeaderEntry &entry : *entries) {
    auto tensor = checkEntry(entry, bytes.subspan(8 + length), 8 + length, name);
    if (!tensor)
      return forward(tensor);
    tensors.push_back(std::move(*tensor));
  }
  // Empty ones first, so that they stand before what begins at the same place.
  std::ranges::sort(tensors, {}, [](const SafetensorsTensor &tensor) {
    return std::pair(tensor.offset, tensor.bytes.size());
  });
  uint64_t at = 8 + length;
  for (const SafetensorsTensor &tensor : tensors) {
    if (tensor.offset != at)
      return damaged(name,
                     "tensor '{}' begins at byte {} of the file, the one before it ends at {}",
                     shown(tensor.name), tensor.offset, at);
    at += tensor.bytes.size();
  }
  if (at != bytes.size())
    return damaged(name, "the last tensor ends at byte {} of {}", at, bytes.size());
  return tensors;
}

} // namespace llmir
