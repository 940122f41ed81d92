// GGUF's blocks taken apart into unsigned quants and scales. Bit layouts: the GGUF specification
// (ggml's block structs).
#include "llmir/quant/Format.h"

#include <cstring>

namespace llmir {

static uint16_t half(const uint8_t *bytes) {
  return static_cast<uint16_t>(bytes[0] | bytes[1] << 8);
}

/// 32 nibbles of 16 bytes: the low halves are elements 0–15, the high halves 16–31.
static void unpackNibbles(const uint8_t *bytes, uint8_t *quants) {
  for (int i = 0; i < 16; ++i) {
    quants[i] = bytes[i] & 15;
    quants[i + 16] = bytes[i] >> 4;
  }
}

/// The fifth bits of 32 elements, one bit each.
static void addFifthBits(const uint8_t *bytes, uint8_t *quants) {
  for (int i = 0; i < 32; ++i)
    quants[i] |= (bytes[i / 8] >> i % 8 & 1) << 4;
}

/// 256 two-bit quants of 64 bytes: element 128 h + 32 s + l has bits 2 s of byte 32 h + l.
static void unpackPairs(const uint8_t *bytes, uint8_t *quants) {
  for (int i = 0; i < 256; ++i)
    quants[i] = bytes[i / 128 * 32 + i % 32] >> i / 32 % 4 * 2 & 3;
}

/// Eight 6-bit scales and eight 6-bit minima of 12 bytes, as Q4_K and Q5_K store them.
static void unpackSixBit(const uint8_t *bytes, BlockParts &parts) {
  for (int g = 0; g < 4; ++g) {
    parts.scale[g] = static_cast<int8_t>(bytes[g] & 63);
    parts.min[g] = bytes[g + 4] & 63;
    parts.scale[g + 4] = static_cast<int8_t>((bytes[g + 8] & 15) | bytes[g] >> 6 << 4);
    parts.min[g + 4] = static_cast<uint8_t>(bytes[g + 8] >> 4 | bytes[g + 4] >> 6 << 4);
  }
}

/// 256 nibbles of 128 bytes: per 64 elements, 32 low halves and then 32 high halves.
static void unpackWideNibbles(const uint8_t *bytes, uint8_t *quants) {
  for (int i = 0; i < 256; ++i)
    quants[i] = bytes[i / 64 * 32 + i % 32] >> i / 32 % 2 * 4 & 15;
}

static void unpackQ2K(const uint8_t *block, BlockParts &parts) {
  for (int g = 0; g < 16; ++g) {
    parts.scale[g] = static_cast<int8_t>(block[g] & 15);
    parts.min[g] = block[g] >> 4;
  }
  unpackPairs(block + 16, parts.quants);
  parts.d = half(block + 80);
  parts.m = half(block + 82);
}

static void unpackQ3K(const uint8_t *block, BlockParts &parts) {
  unpackPairs(block + 32, parts.quants);
  for (int i = 0; i < 256; ++i)
    parts.quants[i] |= (block[i % 32] >> i / 32 & 1) << 2;
  const uint8_t *scales = block + 96;
  for (int g = 0; g < 16; ++g) {
    int low = scales[g % 8] >> g / 8 * 4 & 15, high = scales[8 + g % 4] >> g / 4 * 2 & 3;
    parts.scale[g] = static_cast<int8_t>((low | high << 4) - 32);
  }
  parts.d = half(block + 108);
}

static void unpackQ5K(const uint8_t *block, BlockParts &parts) {
  unpackSixBit(block + 4, parts);
  unpackWideNibbles(block + 48, parts.quants);
  for (int i = 0; i < 256; ++i)
    parts.quants[i] |= (block[16 + i % 32] >> i / 32 & 1) << 4;
}

static void unpackQ6K(const uint8_t *block, BlockParts &parts) {
  for (int i = 0; i < 256; ++i) {
    int half = i / 128, quarter = i / 32 % 4, l = i % 32;
    int low = block[half * 64 + quarter % 2 * 32 + l] >> quarter / 2 * 4 & 15;
    int high = block[128 + half * 32 + l] >> quarter * 2 & 3;
    parts.quants[i] = static_cast<uint8_t>(low | high << 4);
  }
  std::memcpy(parts.scale, block + 192, 16);
  parts.d = half(block + 208);
}

void unpackBlock(Format format, const uint8_t *block, BlockParts &parts) {
  std::memset(parts.scale, 1, sizeof parts.scale);
  std::memset(parts.min, 0, sizeof parts.min);
  parts.d = half(block);
  parts.m = 0;
  switch (format) {
  case Format::Q4_0:
    return unpackNibbles(block + 2, parts.quants);
  case Format::Q4_1:
    parts.m = half(block + 2);
    return unpackNibbles(block + 4, parts.quants);
  case Format::Q5_0:
    unpackNibbles(block + 6, parts.quants);
    return addFifthBits(block + 2, parts.quants);
  case Format::Q5_1:
    parts.m = half(block + 2);
    unpackNibbles(block + 8, parts.quants);
    return addFifthBits(block + 4, parts.quants);
  case Format::Q8_0:
    for (int i = 0; i < 32; ++i)
      parts.quants[i] = block[2 + i] ^ 0x80; // + 128
    return;
  case Format::Q2_K:
    return unpackQ2K(block, parts);
  case Format::Q3_K:
    return unpackQ3K(block, parts);
  case Format::Q4_K:
    parts.m = half(block + 2);
    unpackSixBit(block + 4, parts);
    return unpackWideNibbles(block + 16, parts.quants);
  case Format::Q5_K:
    parts.m = half(block + 2);
    return unpackQ5K(block, parts);
  case Format::Q6_K:
    return unpackQ6K(block, parts);
  default:
    __builtin_unreachable(); // the caller checks FormatInfo::scheme
  }
}

} // namespace llmir
