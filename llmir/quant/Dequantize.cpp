// Exact dequantisation. The quantised formats have one definition: the formula of QuantScheme on an
// unpacked block.
#include "llmir/quant/Format.h"

#include <cstring>

namespace llmir {

static void dequantizeBlock(const QuantScheme &scheme, const BlockParts &parts, int64_t count,
                            float *dst) {
  float d = halfToFloat(parts.d), m = halfToFloat(parts.m);
  for (int64_t i = 0; i < count; ++i) {
    int64_t group = i / scheme.group;
    float q = static_cast<float>(parts.quants[i] - scheme.offset);
    if (!scheme.superBlock) {
      // Two roundings, not one fma: that is what the reference does. Products are statements of
      // their own, since compilers contract within one.
      float product = d * q;
      dst[i] = scheme.hasMin ? product + m : product;
    } else {
      float product = d * static_cast<float>(parts.scale[group]) * q;
      float minimum = m * static_cast<float>(parts.min[group]);
      dst[i] = scheme.hasMin ? product - minimum : product;
    }
  }
}

void dequantize(Format format, const uint8_t *src, float *dst, int64_t count) {
  const FormatInfo &info = formatInfo(format);
  if (info.scheme) {
    BlockParts parts;
    for (int64_t i = 0; i < count; i += info.blockElements, src += info.blockBytes) {
      unpackBlock(format, src, parts);
      dequantizeBlock(*info.scheme, parts, info.blockElements, dst + i);
    }
    return;
  }
  if (format == Format::F32) {
    std::memcpy(dst, src, count * 4);
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    uint16_t bits;
    std::memcpy(&bits, src + 2 * i, 2);
    dst[i] = format == Format::F16 ? halfToFloat(bits) : bfloatToFloat(bits);
  }
}

} // namespace llmir
