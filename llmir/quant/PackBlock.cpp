// Unsigned quants and scales put into GGUF's blocks: UnpackBlock.cpp backwards.
#include "llmir/quant/Quantize.h"

#include <cstring>

namespace llmir {

// Every function adds its bits to bytes that packBlock has cleared.

static void addHalf(uint16_t bits, uint8_t *bytes) {
  bytes[0] = static_cast<uint8_t>(bits);
  bytes[1] = static_cast<uint8_t>(bits >> 8);
}

static void addBits(uint8_t &byte, int bits, int shift) {
  byte = static_cast<uint8_t>(byte | bits << shift);
}

static void packNibbles(const uint8_t *quants, uint8_t *bytes) {
  for (int i = 0; i < 32; ++i)
    addBits(bytes[i % 16], quants[i] & 15, i / 16 * 4);
}

static void packFifthBits(const uint8_t *quants, uint8_t *bytes) {
  for (int i = 0; i < 32; ++i)
    addBits(bytes[i / 8], quants[i] >> 4 & 1, i % 8);
}

static void packPairs(const uint8_t *quants, uint8_t *bytes) {
  for (int i = 0; i < 256; ++i)
    addBits(bytes[i / 128 * 32 + i % 32], quants[i] & 3, i / 32 % 4 * 2);
}

static void packSixBit(const BlockParts &parts, uint8_t *bytes) {
  for (int g = 0; g < 4; ++g) {
    addBits(bytes[g], parts.scale[g] & 63, 0);
    addBits(bytes[g], parts.scale[g + 4] >> 4 & 3, 6);
    addBits(bytes[g + 4], parts.min[g] & 63, 0);
    addBits(bytes[g + 4], parts.min[g + 4] >> 4 & 3, 6);
    addBits(bytes[g + 8], parts.scale[g + 4] & 15, 0);
    addBits(bytes[g + 8], parts.min[g + 4] & 15, 4);
  }
}

static void packWideNibbles(const uint8_t *quants, uint8_t *bytes) {
  for (int i = 0; i < 256; ++i)
    addBits(bytes[i / 64 * 32 + i % 32], quants[i] & 15, i / 32 % 2 * 4);
}

/// One bit of every quant: byte i % 32, bit i / 32.
static void packPlane(const uint8_t *quants, int bit, uint8_t *bytes) {
  for (int i = 0; i < 256; ++i)
    addBits(bytes[i % 32], quants[i] >> bit & 1, i / 32);
}

static void packQ2K(const BlockParts &parts, uint8_t *block) {
  for (int g = 0; g < 16; ++g) {
    addBits(block[g], parts.scale[g] & 15, 0);
    addBits(block[g], parts.min[g] & 15, 4);
  }
  packPairs(parts.quants, block + 16);
  addHalf(parts.d, block + 80);
  addHalf(parts.m, block + 82);
}

static void packQ3K(const BlockParts &parts, uint8_t *block) {
  packPlane(parts.quants, 2, block);
  packPairs(parts.quants, block + 32);
  uint8_t *scales = block + 96;
  for (int g = 0; g < 16; ++g) {
    int scale = parts.scale[g] + 32;
    addBits(scales[g % 8], scale & 15, g / 8 * 4);
    addBits(scales[8 + g % 4], scale >> 4 & 3, g / 4 * 2);
  }
  addHalf(parts.d, block + 108);
}

static void packQ6K(const BlockParts &parts, uint8_t *block) {
  for (int i = 0; i < 256; ++i) {
    int half = i / 128, quarter = i / 32 % 4, l = i % 32;
    addBits(block[half * 64 + quarter % 2 * 32 + l], parts.quants[i] & 15, quarter / 2 * 4);
    addBits(block[128 + half * 32 + l], parts.quants[i] >> 4 & 3, quarter * 2);
  }
  std::memcpy(block + 192, parts.scale, 16);
  addHalf(parts.d, block + 208);
}

void packBlock(Format format, const BlockParts &parts, uint8_t *block) {
  std::memset(block, 0, static_cast<size_t>(formatInfo(format).blockBytes));
  switch (format) {
  case Format::Q4_0:
    addHalf(parts.d, block);
    return packNibbles(parts.quants, block + 2);
  case Format::Q4_1:
    addHalf(parts.d, block);
    addHalf(parts.m, block + 2);
    return packNibbles(parts.quants, block + 4);
  case Format::Q5_0:
    addHalf(parts.d, block);
    packFifthBits(parts.quants, block + 2);
    return packNibbles(parts.quants, block + 6);
  case Format::Q5_1:
    addHalf(parts.d, block);
    addHalf(parts.m, block + 2);
    packFifthBits(parts.quants, block + 4);
    return packNibbles(parts.quants, block + 8);
  case Format::Q8_0:
    addHalf(parts.d, block);
    for (int i = 0; i < 32; ++i)
      block[2 + i] = parts.quants[i] ^ 0x80; // - 128
    return;
  case Format::Q2_K:
    return packQ2K(parts, block);
  case Format::Q3_K:
    return packQ3K(parts, block);
  case Format::Q4_K:
  case Format::Q5_K:
    addHalf(parts.d, block);
    addHalf(parts.m, block + 2);
    packSixBit(parts, block + 4);
    if (format == Format::Q4_K)
      return packWideNibbles(parts.quants, block + 16);
    packPlane(parts.quants, 4, block + 16);
    return packWideNibbles(parts.quants, block + 48);
  case Format::Q6_K:
    return packQ6K(parts, block);
  default:
    __builtin_unreachable(); // the caller checks FormatInfo::scheme
  }
}

} // namespace llmir
