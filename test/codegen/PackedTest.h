// Weights for tests of what reads packed panels: every scheme of quants with finite scales, the
// first rows at their extremes.
#pragma once

#include "KernelTest.h"
#include "llmir/codegen/cpu/PackedLayout.h"
#include "llmir/quant/Quantize.h"

namespace llmir::test {

/// A matrix as in a file, packed for one target, and its numbers.
struct PackedMatrix {
  cpu::PackedLayout layout;
  std::vector<uint8_t> bytes;
  std::vector<float> values; ///< [n][k], by dequantize()

  const float *row(int64_t r) const { return &values[r * layout.k]; }
};

/// Rows 0, 1 and 2 of a quantised matrix have all quants at their maximum, at zero, and by turns at
/// both; everything else is random.
inline PackedMatrix packedMatrix(const Target &target, Format format, int64_t n, int64_t k) {
  const FormatInfo &info = formatInfo(format);
  const int64_t rowSize = rowBytes(format, k);
  std::vector<uint8_t> file(n * rowSize);
  std::mt19937 random(static_cast<uint32_t>(format) + n + k);
  if (info.scheme) {
    for (uint8_t &byte : file)
      byte = static_cast<uint8_t>(random());
    const int64_t blocks = k / info.blockElements;
    for (int64_t block = 0; block < n * blocks; ++block) {
      BlockParts parts;
      uint8_t *bytes = &file[block * info.blockBytes];
      unpackBlock(format, bytes, parts);
      parts.d = floatToHalf(static_cast<float>(random() % 1000 + 1) * 1e-4f);
      if (info.scheme->hasMin)
        parts.m = floatToHalf(static_cast<float>(random() % 2000) * 1e-4f - 0.1f);
      const int64_t row = block / blocks, top = (1 << info.scheme->bits) - 1;
      for (int64_t i = 0; row < 3 && i < info.blockElements; ++i)
        parts.quants[i] = static_cast<uint8_t>(row == 0 || (row == 2 && i % 2) ? top : 0);
      packBlock(format, parts, bytes);
    }
  } else {
    std::vector<float> numbers = randomFloats(n * k, random());
    for (int64_t row = 0; row < n; ++row)
      quantizeRow(format, &numbers[row * k], &file[row * rowSize], k);
  }
  PackedMatrix matrix{cpu::packedLayout(target, format, n, k), {}, std::vector<float>(n * k)};
  for (int64_t row = 0; row < n; ++row)
    dequantize(format, &file[row * rowSize], &matrix.values[row * k], k);
  matrix.bytes.resize(matrix.layout.bytes());
  packPanels(matrix.layout, file.data(), matrix.bytes.data(), 0, matrix.layout.panels);
  return matrix;
}

/// Every format that has kernels: the float ones and those with a scheme.
inline std::vector<Format> packedFormats() {
  std::vector<Format> formats = {Format::F32, Format::F16, Format::BF16};
  for (const FormatInfo &info : allFormats())
    if (info.scheme)
      formats.push_back(info.format);
  return formats;
}

} // namespace llmir::test
