// f16 and bf16, bit by bit: no processor feature is assumed, and every NaN, infinity and subnormal
// is exact.
#include "llmir/quant/Format.h"

#include <bit>

namespace llmir {

float halfToFloat(uint16_t bits) {
  uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16, exponent = bits >> 10 & 0x1f,
           mantissa = bits & 0x3ff;
  if (exponent == 0) // zero or subnormal: mantissa * 2^-24
    return std::bit_cast<float>(std::bit_cast<uint32_t>(static_cast<float>(mantissa) * 0x1p-24f) |
                                sign);
  if (exponent == 31)
    return std::bit_cast<float>(sign | 0x7f800000 | mantissa << 13);
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
}

/// Drops `bits` low bits of `value`, rounding to nearest, ties to even.
static uint32_t roundShift(uint32_t value, int bits) {
  uint32_t half = 1u << (bits - 1), rest = value & ((1u << bits) - 1), kept = value >> bits;
  return kept + (rest > half || (rest == half && (kept & 1)));
}

uint16_t floatToHalf(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value), sign = bits >> 16 & 0x8000,
           magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000)
    return static_cast<uint16_t>(sign | 0x7e00 | (magnitude >> 13 & 0x3ff)); // NaN stays NaN
  if (magnitude >= 0x477ff000)
    return static_cast<uint16_t>(sign | 0x7c00); // from 65520 on, rounding gives infinity
  if (magnitude >= 0x38800000) // normal: rebias the exponent, then round; a carry moves into the
                               // exponent as it should
    return static_cast<uint16_t>(sign | roundShift(magnitude - 0x38000000, 13));
  int exponent = static_cast<int>(magnitude >> 23);
  if (exponent < 102)
    return static_cast<uint16_t>(sign); // below half of the smallest subnormal
  uint32_t mantissa = (magnitude & 0x7fffff) | 0x800000;
  return static_cast<uint16_t>(sign | roundShift(mantissa, 126 - exponent));
}

float bfloatToFloat(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

uint16_t floatToBfloat(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000)
    return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>(roundShift(bits, 16));
}

} // namespace llmir
