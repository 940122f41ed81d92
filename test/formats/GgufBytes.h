// Puts GGUF files together byte by byte, so that tests can say anything a damaged file says.
#pragma once

#include "llmir/formats/gguf/Gguf.h"
#include <cstring>
#include <string>

namespace llmir {

struct GgufBytes {
  std::string bytes;

  GgufBytes &raw(std::string_view text) { return bytes += text, *this; }
  template <typename T> GgufBytes &number(T value) {
    bytes.append(reinterpret_cast<const char *>(&value), sizeof value);
    return *this;
  }
  GgufBytes &u32(uint32_t value) { return number(value); }
  GgufBytes &u64(uint64_t value) { return number(value); }
  GgufBytes &string(std::string_view text) { return u64(text.size()).raw(text); }
  GgufBytes &header(uint64_t tensors, uint64_t keys, uint32_t version = 3) {
    return raw("GGUF").u32(version).u64(tensors).u64(keys);
  }
  GgufBytes &key(std::string_view name, GgufType type) {
    return string(name).u32(static_cast<uint32_t>(type));
  }
  /// Sizes in GGUF's order: the contiguous dimension first.
  GgufBytes &tensor(std::string_view name, std::vector<uint64_t> sizes, uint32_t type,
                    uint64_t offset) {
    string(name).u32(static_cast<uint32_t>(sizes.size()));
    for (uint64_t size : sizes)
      u64(size);
    return u32(type).u64(offset);
  }
  /// Zeros up to the next multiple of `alignment`, then `size` more.
  GgufBytes &data(size_t size, size_t alignment = 32) {
    bytes.append((alignment - bytes.size() % alignment) % alignment + size, '\0');
    return *this;
  }

  Expected<GgufFile> parse() const { return parseGguf(bytes); }
  static Expected<GgufFile> parseGguf(std::string_view bytes) {
    return GgufFile::parse({reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()},
                           "m.gguf");
  }
};

} // namespace llmir
