// The rows of the format table, and look-ups in it.
#include "llmir/quant/Format.h"

namespace llmir {

namespace {
constexpr std::optional<QuantScheme> none = std::nullopt;
constexpr QuantScheme flat(int bits, int offset, bool hasMin = false) {
  return {bits, offset, 32, hasMin, false, 0};
}
constexpr QuantScheme superBlock(int bits, int offset, int group, bool hasMin, int scaleBits) {
  return {bits, offset, group, hasMin, true, scaleBits};
}

// In the order of the enumeration: formatInfo() indexes it.
constexpr FormatInfo table[] = {
    {Format::F32, "f32", 0, 1, 4, true, none},
    {Format::F16, "f16", 1, 1, 2, true, none},
    {Format::BF16, "bf16", 30, 1, 2, true, none},
    {Format::F64, "f64", 28, 1, 8, false, none},
    {Format::I8, "i8", 24, 1, 1, false, none},
    {Format::I16, "i16", 25, 1, 2, false, none},
    {Format::I32, "i32", 26, 1, 4, false, none},
    {Format::I64, "i64", 27, 1, 8, false, none},
    {Format::Q4_0, "q4_0", 2, 32, 18, true, flat(4, 8)},
    {Format::Q4_1, "q4_1", 3, 32, 20, true, flat(4, 0, true)},
    {Format::Q5_0, "q5_0", 6, 32, 22, true, flat(5, 16)},
    {Format::Q5_1, "q5_1", 7, 32, 24, true, flat(5, 0, true)},
    {Format::Q8_0, "q8_0", 8, 32, 34, true, flat(8, 128)},
    {Format::Q8_1, "q8_1", 9, 32, 36, false, none},
    {Format::Q2_K, "q2_k", 10, 256, 84, true, superBlock(2, 0, 16, true, 4)},
    {Format::Q3_K, "q3_k", 11, 256, 110, true, superBlock(3, 4, 16, false, 6)},
    {Format::Q4_K, "q4_k", 12, 256, 144, true, superBlock(4, 0, 32, true, 6)},
    {Format::Q5_K, "q5_k", 13, 256, 176, true, superBlock(5, 0, 32, true, 6)},
    {Format::Q6_K, "q6_k", 14, 256, 210, true, superBlock(6, 32, 16, false, 8)},
    {Format::Q8_K, "q8_k", 15, 256, 292, false, none},
    {Format::IQ2_XXS, "iq2_xxs", 16, 256, 66, false, none},
    {Format::IQ2_XS, "iq2_xs", 17, 256, 74, false, none},
    {Format::IQ3_XXS, "iq3_xxs", 18, 256, 98, false, none},
    {Format::IQ1_S, "iq1_s", 19, 256, 50, false, none},
    {Format::IQ4_NL, "iq4_nl", 20, 32, 18, false, none},
    {Format::IQ3_S, "iq3_s", 21, 256, 110, false, none},
    {Format::IQ2_S, "iq2_s", 22, 256, 82, false, none},
    {Format::IQ4_XS, "iq4_xs", 23, 256, 136, false, none},
    {Format::IQ1_M, "iq1_m", 29, 256, 56, false, none},
    {Format::TQ1_0, "tq1_0", 34, 256, 54, false, none},
    {Format::TQ2_0, "tq2_0", 35, 256, 66, false, none},
    {Format::MXFP4, "mxfp4", 39, 32, 17, false, none},
    {Format::NVFP4, "nvfp4", 40, 64, 36, false, none},
    {Format::Q1_0, "q1_0", 41, 128, 18, false, none},
    {Format::A8, "a8", -1, 32, 40, false, none},
    {Format::A16, "a16", -1, 32, 72, false, none},
};

constexpr bool isInOrder() {
  for (int i = 0; i < static_cast<int>(std::size(table)); ++i)
    if (static_cast<int>(table[i].format) != i)
      return false;
  return true;
}
static_assert(isInOrder(), "the table must follow the enumeration");
} // namespace

std::span<const FormatInfo> allFormats() { return table; }

const FormatInfo &formatInfo(Format format) { return table[static_cast<int>(format)]; }

std::optional<Format> formatByName(std::string_view name) {
  for (const FormatInfo &info : table)
    if (info.name == name)
      return info.format;
  return std::nullopt;
}

std::optional<Format> formatByGgufType(uint32_t type) {
  for (const FormatInfo &info : table)
    if (info.ggufType >= 0 && static_cast<uint32_t>(info.ggufType) == type)
      return info.format;
  return std::nullopt;
}

int64_t rowBytes(Format format, int64_t elements) {
  const FormatInfo &info = formatInfo(format);
  return elements / info.blockElements * info.blockBytes;
}

} // namespace llmir
