// Encoders: a group's range becomes its scale, and every value its nearest quant. Products and sums
// are statements of their own, so that no compiler contracts them: files are the same everywhere.
#include "llmir/quant/Quantize.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace llmir {

/// The float cut to an integer from low to high; NaN gives low.
static int clampToInt(float value, int low, int high) {
  if (!(value > static_cast<float>(low)))
    return low;
  return value < static_cast<float>(high) ? static_cast<int>(value) : high;
}

static float inverse(float value) { return value == 0 ? 0 : 1 / value; }

/// The first value of the largest magnitude, with its sign.
static float extreme(const float *x, int count) {
  return *std::max_element(x, x + count,
                           [](float a, float b) { return std::fabs(a) < std::fabs(b); });
}

static void encodeFlat(const QuantScheme &scheme, const float *x, BlockParts &parts) {
  const int levels = (1 << scheme.bits) - 1;
  float d, id;
  if (scheme.hasMin) {
    const auto [low, high] = std::minmax_element(x, x + 32);
    d = (*high - *low) / static_cast<float>(levels);
    id = inverse(d);
    parts.m = floatToHalf(*low);
    for (int i = 0; i < 32; ++i) {
      float q = (x[i] - *low) * id;
      q += 0.5f;
      parts.quants[i] = static_cast<uint8_t>(clampToInt(q, 0, levels));
    }
  } else if (scheme.bits == 8) {
    // Symmetric, and rounded half away from zero.
    d = std::fabs(extreme(x, 32)) / 127;
    id = inverse(d);
    for (int i = 0; i < 32; ++i)
      parts.quants[i] = static_cast<uint8_t>(clampToInt(std::round(x[i] * id), -127, 127) + 128);
  } else {
    // The extreme becomes quant 0, the end of the range that reaches one step further.
    const auto offset = static_cast<float>(scheme.offset);
    d = extreme(x, 32) / -offset;
    id = inverse(d);
    for (int i = 0; i < 32; ++i) {
      float q = x[i] * id;
      q += offset + 0.5f;
      parts.quants[i] = static_cast<uint8_t>(clampToInt(q, 0, levels));
    }
  }
  parts.d = floatToHalf(d);
}

/// The integer nearest to value / step, from low to high; 0 (if allowed) where step is 0.
static int nearest(float value, float step, int low, int high) {
  return clampToInt(std::nearbyint(step == 0 ? 0 : value / step), low, high);
}

/// Groups with a scale and a minimum, both unsigned integers up to `limit`.
static void encodeSuperMin(const QuantScheme &scheme, int limit, const float *x,
                           BlockParts &parts) {
  const int levels = (1 << scheme.bits) - 1, groups = 256 / scheme.group;
  float scales[16], mins[16];
  for (int g = 0; g < groups; ++g) {
    const float *values = x + g * scheme.group;
    const auto [low, high] = std::minmax_element(values, values + scheme.group);
    mins[g] = std::max(0.0f, -*low); // stored minima are subtracted, never added
    scales[g] = std::max(0.0f, *high + mins[g]) / static_cast<float>(levels);
  }
  parts.d = floatToHalf(*std::max_element(scales, scales + groups) / static_cast<float>(limit));
  parts.m = floatToHalf(*std::max_element(mins, mins + groups) / static_cast<float>(limit));
  const float d = halfToFloat(parts.d), m = halfToFloat(parts.m);
  for (int g = 0; g < groups; ++g) {
    parts.scale[g] = static_cast<int8_t>(nearest(scales[g], d, 0, limit));
    parts.min[g] = static_cast<uint8_t>(nearest(mins[g], m, 0, limit));
    const float step = d * static_cast<float>(parts.scale[g]);
    const float shift = m * static_cast<float>(parts.min[g]);
    for (int i = g * scheme.group; i < (g + 1) * scheme.group; ++i)
      parts.quants[i] = static_cast<uint8_t>(nearest(x[i] + shift, step, 0, levels));
  }
}

/// Groups with a signed integer scale from -limit to limit - 1.
static void encodeSuperSigned(const QuantScheme &scheme, int limit, const float *x,
                              BlockParts &parts) {
  const int offset = scheme.offset, groups = 256 / scheme.group;
  float scales[16];
  for (int g = 0; g < groups; ++g)
    scales[g] = extreme(x + g * scheme.group, scheme.group) / static_cast<float>(-offset);
  parts.d = floatToHalf(extreme(scales, groups) / static_cast<float>(-limit));
  const float d = halfToFloat(parts.d);
  for (int g = 0; g < groups; ++g) {
    parts.scale[g] = static_cast<int8_t>(nearest(scales[g], d, -limit, limit - 1));
    const float step = d * static_cast<float>(parts.scale[g]);
    for (int i = g * scheme.group; i < (g + 1) * scheme.group; ++i)
      parts.quants[i] = static_cast<uint8_t>(nearest(x[i], step, -offset, offset - 1) + offset);
  }
}

static void encodeBlock(Format format, const QuantScheme &scheme, const float *x,
                        BlockParts &parts) {
  switch (format) {
  case Format::Q2_K:
    return encodeSuperMin(scheme, 15, x, parts);
  case Format::Q4_K:
  case Format::Q5_K:
    return encodeSuperMin(scheme, 63, x, parts);
  case Format::Q3_K:
    return encodeSuperSigned(scheme, 32, x, parts);
  case Format::Q6_K:
    return encodeSuperSigned(scheme, 128, x, parts);
  default:
    return encodeFlat(scheme, x, parts);
  }
}

static bool isFiniteHalf(uint16_t bits) { return (bits & 0x7c00) != 0x7c00; }

/// Without a branch for each value, so that it costs little beside the encoding.
static bool areFinite(const float *x, int64_t count) {
  bool finite = true;
  for (int64_t i = 0; i < count; ++i)
    finite &= std::fabs(x[i]) <= std::numeric_limits<float>::max();
  return finite;
}

bool quantizeRow(Format format, const float *src, uint8_t *dst, int64_t count) {
  const FormatInfo &info = formatInfo(format);
  bool finite = areFinite(src, count);
  if (info.scheme) {
    BlockParts parts{};
    for (int64_t i = 0; i < count; i += info.blockElements, dst += info.blockBytes) {
      encodeBlock(format, *info.scheme, src + i, parts);
      packBlock(format, parts, dst);
      finite &= isFiniteHalf(parts.d) && isFiniteHalf(parts.m);
    }
    return finite;
  }
  if (format == Format::F32) {
    std::memcpy(dst, src, static_cast<size_t>(count) * 4);
    return finite;
  }
  for (int64_t i = 0; i < count; ++i) {
    uint16_t bits = format == Format::F16 ? floatToHalf(src[i]) : floatToBfloat(src[i]);
    finite &= format != Format::F16 || isFiniteHalf(bits);
    std::memcpy(dst + 2 * i, &bits, 2);
  }
  return finite;
}

bool canBecome(Format from, Format to) {
  const FormatInfo &info = formatInfo(from);
  return from == to || (info.hasCodec && !info.scheme && formatInfo(to).scheme);
}

Status quantizeRows(Format from, const uint8_t *src, Format to, uint8_t *dst, int64_t rows,
                    int64_t columns, int64_t firstRow) {
  std::vector<float> row(static_cast<size_t>(columns));
  for (int64_t r = 0; r < rows; ++r) {
    dequantize(from, src + r * rowBytes(from, columns), row.data(), columns);
    if (quantizeRow(to, row.data(), dst + r * rowBytes(to, columns), columns))
      continue;
    auto infinite =
        std::find_if_not(row.begin(), row.end(), [](float x) { return std::isfinite(x); });
    if (infinite != row.end())
      return fail("holds a number that is not finite, in row {}, column {}", firstRow + r,
                  infinite - row.begin());
    const float *largest = std::max_element(row.data(), row.data() + columns, [](float a, float b) {
      return std::fabs(a) < std::fabs(b);
    });
    return fail("holds {:g}, in row {}, column {}, which is too large for {}", *largest,
                firstRow + r, largest - row.data(), formatInfo(to).name);
  }
  return {};
}

} // namespace llmir
