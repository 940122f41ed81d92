// The one table of number formats: GGUF's tensor types and the two activation formats of our
// kernels. A new format is a row here and a codec beside it. Layouts follow the GGUF specification
// (ggml's block structs).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace llmir {

/// Every GGUF tensor type that exists today has a row, also those without a codec, so that files
/// can be listed.
enum class Format : uint8_t {
  F32,
  F16,
  BF16,
  F64,
  I8,
  I16,
  I32,
  I64,
  Q4_0,
  Q4_1,
  Q5_0,
  Q5_1,
  Q8_0,
  Q8_1,
  Q2_K,
  Q3_K,
  Q4_K,
  Q5_K,
  Q6_K,
  Q8_K,
  IQ2_XXS,
  IQ2_XS,
  IQ3_XXS,
  IQ1_S,
  IQ4_NL,
  IQ3_S,
  IQ2_S,
  IQ4_XS,
  IQ1_M,
  TQ1_0,
  TQ2_0,
  MXFP4,
  NVFP4,
  Q1_0,
  A8,  ///< activations: int8, one f32 scale for 32 values
  A16, ///< activations: int16, one f32 scale for 32 values
};

/// How the integers of a block become numbers. With q the stored unsigned quant of element i in
/// group g:
///   flat formats (superBlock false):  value = d * (q - offset) + m          (m only if hasMin)
///   K-quants     (superBlock true):   value = d * scale[g] * (q - offset) - m * min[g]
struct QuantScheme {
  int bits = 0;   ///< width of a stored quant: 2, 3, 4, 5, 6 or 8
  int offset = 0; ///< subtracted from the unsigned quant: 8 (Q4_0), 16 (Q5_0), 128 (Q8_0), 4
                  ///< (Q3_K), 32 (Q6_K) or 0
  int group = 32; ///< elements that share a scale: 16 or 32
  bool hasMin = false;
  bool superBlock = false;
  int scaleBits = 0; ///< K-quants: width of an integer scale or minimum: 4, 6 or 8
};

struct FormatInfo {
  Format format;
  std::string_view name; ///< lower case, as written in IR: "q4_0", "f32", "a8"
  int ggufType;          ///< GGUF's type number, -1 for activation formats
  int64_t blockElements; ///< elements in a block; rows are whole blocks
  int64_t blockBytes;
  bool hasCodec;                     ///< dequantize() works
  std::optional<QuantScheme> scheme; ///< set where unpackBlock() works
};

std::span<const FormatInfo> allFormats();
const FormatInfo &formatInfo(Format format);
std::optional<Format> formatByName(std::string_view name);
std::optional<Format> formatByGgufType(uint32_t type);

/// Exact dequantisation: bit for bit what the specification's reference gives. `count` is a
/// multiple of blockElements; `src` holds count / blockElements blocks. Precondition:
/// formatInfo(format).hasCodec.
void dequantize(Format format, const uint8_t *src, float *dst, int64_t count);

/// One block of a quantised format taken apart, format-neutral: what the weight packers read.
struct BlockParts {
  uint8_t quants[256]; ///< unsigned quants in element order (signed formats: value + offset)
  uint16_t d = 0;      ///< f16 bits of the scale
  uint16_t m = 0;   ///< f16 bits of the minimum (flat) or of dmin (K-quants), 0 where there is none
  int8_t scale[16]; ///< K-quants: integer scale of each group (1 for flat formats)
  uint8_t min[16];  ///< K-quants: integer minimum of each group (0 where there is none)
};
void unpackBlock(Format format, const uint8_t *block, BlockParts &parts);

/// f16 bits to f32 and back (round to nearest even; overflow to infinity), bf16 to f32 and back.
float halfToFloat(uint16_t bits);
uint16_t floatToHalf(float value);
float bfloatToFloat(uint16_t bits);
uint16_t floatToBfloat(float value);

/// Bytes of `elements` values of one row. Precondition: elements is a multiple of the block.
int64_t rowBytes(Format format, int64_t elements);

/// An activation row in A8 or A16, for K elements (a multiple of 32) and G = K / 32 groups, is
/// three planes:
///   K integers (int8 or int16), then G f32 scales, then G int32 sums of the group's integers.
/// Definition, per group: amax = max |x|; if amax < 2^-100, d = id = 0, else d = amax / L, id = L /
/// amax; q = roundToNearestEven(x * id), everything in f32, L = 127 (A8) or 32767 (A16). `dst`
/// holds rowBytes(format, K) bytes.
void quantizeActivations(Format format, const float *src, uint8_t *dst, int64_t elements);

} // namespace llmir
