// What a file holds, and whether its numbers are sound.
#include "llmir/formats/gguf/GgufSummary.h"
#include "llmir/formats/gguf/GgufWriter.h"
#include <cmath>
#include <gmock/gmock.h>

using namespace llmir;

namespace {

std::span<const uint8_t> bytesOf(const auto &values) {
  return {reinterpret_cast<const uint8_t *>(values.data()), values.size() * sizeof(values[0])};
}

/// A file of one f32 matrix [3][64], one q8_0 matrix [2][32] of zeros and one format without codec.
struct File {
  File() : matrix(3 * 64, 1.5f), quants(2 * 34), other(144) {}

  Expected<GgufFile> open() {
    GgufWriter writer;
    writer.addString("general.architecture", "frob");
    writer.addString("general.name", "A model");
    writer.addU32("frob.block_count", 7);
    writer.addU32("frob.embedding_length", 64);
    writer.addU32("frob.attention.head_count", 4);
    const int32_t perLayer[] = {1, 2};
    writer.addI32Array("frob.feed_forward_length", perLayer);
    writer.addTensor("m", Format::F32, {3, 64}, bytesOf(matrix));
    writer.addTensor("q", Format::Q8_0, {2, 32}, bytesOf(quants));
    if (hasOther)
      writer.addTensor("o", Format::IQ4_XS, {1, 256}, bytesOf(other));
    text = writer.toBytes();
    return GgufFile::parse(bytesOf(text), "f.gguf");
  }

  std::vector<float> matrix;
  std::vector<uint8_t> quants, other;
  bool hasOther = false;
  std::string text;
};

TEST(GgufSummary, AddsUpAndLeavesOutWhatIsNotThere) {
  File source;
  auto file = source.open();
  ASSERT_TRUE(file) << file.error().message;
  GgufSummary summary = summarize(*file);
  EXPECT_EQ(summary.architecture, "frob");
  EXPECT_EQ(summary.name, "A model");
  EXPECT_EQ(summary.layers, 7);
  EXPECT_EQ(summary.kvHeads, 4) << "as many as heads where the file does not say";
  EXPECT_EQ(summary.headSize, 16);
  EXPECT_FALSE(summary.feedForward) << "one for each layer";
  EXPECT_FALSE(summary.vocabulary);
  EXPECT_FALSE(summary.contextLength);
  EXPECT_EQ(summary.parameters, 3 * 64 + 2 * 32);
  EXPECT_EQ(summary.tensorBytes, 3 * 64 * 4 + 2 * 34);
  ASSERT_EQ(summary.formats.size(), 2u);
  EXPECT_EQ(summary.formats[0].format, Format::F32);
  EXPECT_EQ(summary.formats[1].elements, 64);
}

TEST(GgufSummary, AnEmptyFileHasASummary) {
  std::string text = GgufWriter().toBytes();
  auto file = GgufFile::parse(bytesOf(text), "f.gguf");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(summarize(*file).bitsPerWeight(), 0);
  EXPECT_EQ(verifyTensors(*file)->tensors, 0);
}

TEST(VerifyTensors, NamesTheFirstNumberThatIsNotFinite) {
  File source;
  EXPECT_EQ(verifyTensors(*source.open())->tensors, 2);
  source.quants[34] = 0xff; // the scale of row 1: 0x7fff is no number
  source.quants[35] = 0x7f;
  EXPECT_THAT(verifyTensors(*source.open()).error().message,
              testing::HasSubstr("f.gguf: tensor q holds a number that is not finite, in row 1, "
                                 "column 0"));
  source.matrix[2 * 64 + 5] = INFINITY;
  EXPECT_THAT(verifyTensors(*source.open()).error().message,
              testing::HasSubstr("tensor m holds a number that is not finite, in row 2, column 5"));
}

TEST(VerifyTensors, SaysWhatItCannotDecode) {
  File source;
  source.hasOther = true;
  source.other.resize(136);
  auto check = verifyTensors(*source.open());
  ASSERT_TRUE(check);
  EXPECT_EQ(check->tensors, 2);
  EXPECT_THAT(check->unchecked, testing::ElementsAre(Format::IQ4_XS));
}

} // namespace
