// Invents the bytes of weights: quants are random bits, and the scales of their blocks are chosen.
#include "RandomTensor.h"

#include "llmir/compiler/VerifyInputs.h"
#include <cstring>

namespace llmir::test {

namespace {

/// Byte offsets of the f16 scales of a block (d, then m or dmin; -1: none). All other bytes may be
/// random.
struct ScaleOffsets {
  int d, m;
};
ScaleOffsets scaleOffsets(Format format) {
  switch (format) {
  case Format::Q4_1:
  case Format::Q5_1:
  case Format::Q4_K:
  case Format::Q5_K:
    return {0, 2};
  case Format::Q2_K:
    return {80, 82};
  case Format::Q3_K:
    return {108, -1};
  case Format::Q6_K:
    return {208, -1};
  default:
    return {0, -1};
  }
}

} // namespace

RandomTensor randomTensor(std::mt19937_64 &random, Format format, std::vector<int64_t> shape,
                          float mean, float deviation) {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  RandomTensor result{format, std::move(shape), std::vector<uint8_t>(rowBytes(format, count))};
  const FormatInfo &info = formatInfo(format);
  if (!info.scheme) {
    for (int64_t i = 0; i < count; ++i) {
      float value = mean + deviation * gaussian(random);
      uint16_t bits = format == Format::F16 ? floatToHalf(value) : floatToBfloat(value);
      if (format == Format::F32)
        std::memcpy(&result.bytes[4 * i], &value, 4);
      else
        std::memcpy(&result.bytes[2 * i], &bits, 2);
    }
    return result;
  }
  uint64_t bits = 0;
  for (size_t i = 0; i < result.bytes.size(); ++i, bits >>= 8) {
    if (i % 8 == 0)
      bits = random();
    result.bytes[i] = static_cast<uint8_t>(bits);
  }
  // Scales that give about the deviation asked for, with a minimum that centres the values.
  double scale = deviation / (0.29 * (1 << info.scheme->bits)) / (info.scheme->superBlock ? 20 : 1);
  auto offsets = scaleOffsets(format);
  for (int64_t block = 0; block < count / info.blockElements; ++block) {
    uint8_t *at = &result.bytes[block * info.blockBytes];
    uint16_t d = floatToHalf(
        static_cast<float>(scale * (0.5 + 0.5 * std::uniform_real_distribution<>(0, 1)(random))));
    std::memcpy(at + offsets.d, &d, 2);
    if (offsets.m >= 0) {
      double centre = scale * (1 << info.scheme->bits) / 2;
      uint16_t m = floatToHalf(static_cast<float>(info.scheme->superBlock ? centre : -centre));
      std::memcpy(at + offsets.m, &m, 2);
    }
  }
  return result;
}

} // namespace llmir::test
