// Packing of weight matrices into panels. A panel is one forward stream of what a kernel decodes;
// below, [a][b] are nested arrays, R the row blocks of a panel, L the lanes (rows) of a row block.
//   float formats   per k: [R][L] elements
//   flat formats    per 32 k: f16 d [R][L], f16 m [R][L] if the format has minima, quants
//   K-quants        per 256 k: f16 d [R][L], f16 dmin [R][L] if there are minima, the integer
//                   scales and minima, then 8 times quants
// The integers of a K-quant, as many bits as in the file: scale g is number g, or, with minima,
// scale g is number 2g and minimum g number 2g+1.
//   8 bits: number i signed at [i][R][L]
//   4 bits: unsigned, number i in bits 4*(i%2) of [i/2][R][L]
//   6 bits: the low 4 like that; behind them the high 2, number i in bits 2*(i%4) of [i/4][R][L];
//           without minima they are signed, and stored plus 32
// quants of 32 k: bit planes of vectors [R][L][4] bytes; byte t of sub-chunk s belongs to k = 4s+t:
//   8 bits: 8 vectors, signed values; a plane of w bits: w vectors, sub-chunk s in vector s*w/8
//   from bit s*w%8 on, so that neighbouring sub-chunks are decoded from the vector just loaded.
// 5 and 6 bits are a 4-bit plane and a plane of the rest, 3 bits a 2-bit plane and a 1-bit plane.
#include "llmir/codegen/cpu/PackedLayout.h"

#include <cstring>

namespace llmir::cpu {

static int64_t floatBytes(Format format) { return format == Format::F32 ? 4 : 2; }

/// Bytes that one row takes for one block of `elements` values.
static int64_t rowUnitBytes(const QuantScheme &scheme) {
  int64_t quants = scheme.bits * 4, scales = scheme.hasMin ? 4 : 2;
  if (!scheme.superBlock)
    return scales + quants;
  return scales + 256 / scheme.group * (scheme.hasMin ? 2 : 1) * scheme.scaleBits / 8 + 8 * quants;
}

PackedLayout packedLayout(const Target &target, Format format, int64_t n, int64_t k) {
  PackedLayout layout;
  layout.format = format;
  layout.n = n;
  layout.k = k;
  layout.lanes = target.lanes();
  layout.rowBlocks = 2;
  layout.panels = (n + layout.panelRows() - 1) / layout.panelRows();
  const auto &scheme = formatInfo(format).scheme;
  int64_t rowBytes =
      scheme ? k / (scheme->superBlock ? 256 : 32) * rowUnitBytes(*scheme) : k * floatBytes(format);
  layout.panelBytes = (rowBytes * layout.panelRows() + 63) / 64 * 64;
  return layout;
}

/// Writes the 32 quants of one row. `row` is the place of the row's 4 bytes in the first vector,
/// which are `stride` bytes long; returns the number of vectors.
static int64_t packQuants(int bits, const uint8_t *q, uint8_t *row, int64_t stride) {
  if (bits == 8) {
    for (int i = 0; i < 32; ++i)
      row[i / 4 * stride + i % 4] = q[i] ^ 0x80;
    return 8;
  }
  // One plane holds `width` bits from `shift` on of all quants, in `width` vectors.
  auto plane = [&](int width, int shift) {
    // The four quants of a sub-chunk at once: no bit crosses its byte.
    const uint32_t mask = ((1u << width) - 1) * 0x01010101u;
    for (int chunk = 0; chunk < 8; ++chunk) {
      const int vector = chunk * width / 8, position = chunk * width % 8;
      uint32_t four, sum;
      std::memcpy(&four, q + 4 * chunk, 4);
      std::memcpy(&sum, row + vector * stride, 4);
      sum |= (four >> shift & mask) << position;
      std::memcpy(row + vector * stride, &sum, 4);
    }
    row += width * stride;
  };
  int low = bits >= 4 ? 4 : 2;
  plane(low, 0);
  if (bits > low)
    plane(bits - low, low);
  return bits;
}

/// Writes the integer scales and minima of one row's block; `row` is the place of its first byte,
/// `stride` the bytes from one to the next. Returns the number of bytes.
static int64_t packScales(const QuantScheme &scheme, const BlockParts &parts, uint8_t *row,
                          int64_t stride) {
  const int groups = 256 / scheme.group, count = groups * (scheme.hasMin ? 2 : 1);
  for (int i = 0; i < count; ++i) {
    const int g = scheme.hasMin ? i / 2 : i;
    if (scheme.scaleBits == 8) {
      row[i * stride] = static_cast<uint8_t>(parts.scale[g]);
      continue;
    }
    const int number = scheme.hasMin ? (i % 2 ? parts.min[g] : parts.scale[g])
                                     : parts.scale[g] + (1 << (scheme.scaleBits - 1));
    row[i / 2 * stride] |= (number & 15) << 4 * (i % 2);
    if (scheme.scaleBits == 6)
      row[(count / 2 + i / 4) * stride] |= number >> 4 << 2 * (i % 4);
  }
  return count * scheme.scaleBits / 8;
}

void packPanels(const PackedLayout &layout, const uint8_t *source, uint8_t *destination,
                int64_t panel0, int64_t panel1) {
  const FormatInfo &info = formatInfo(layout.format);
  const int64_t rows = layout.panelRows(), sourceRow = rowBytes(layout.format, layout.k);
  for (int64_t panel = panel0; panel < panel1; ++panel) {
    uint8_t *out = destination + panel * layout.panelBytes;
    std::memset(out, 0, layout.panelBytes);
    for (int64_t r = 0; r < rows && panel * rows + r < layout.n; ++r) {
      const uint8_t *in = source + (panel * rows + r) * sourceRow;
      if (!info.scheme) {
        const int64_t size = floatBytes(layout.format);
        for (int64_t i = 0; i < layout.k; ++i)
          std::memcpy(out + (i * rows + r) * size, in + i * size, size);
        continue;
      }
      const QuantScheme &scheme = *info.scheme;
      uint8_t *unit = out;
      BlockParts parts;
      for (int64_t block = 0; block < layout.k / info.blockElements; ++block) {
        unpackBlock(layout.format, in + block * info.blockBytes, parts);
        std::memcpy(unit + 2 * r, &parts.d, 2);
        unit += 2 * rows;
        if (scheme.hasMin) {
          std::memcpy(unit + 2 * r, &parts.m, 2);
          unit += 2 * rows;
        }
        if (scheme.superBlock)
          unit += packScales(scheme, parts, unit + r, rows) * rows;
        for (int64_t i = 0; i < info.blockElements; i += 32)
          unit += packQuants(scheme.bits, parts.quants + i, unit + 4 * r, 4 * rows) * 4 * rows;
      }
    }
  }
}

} // namespace llmir::cpu
