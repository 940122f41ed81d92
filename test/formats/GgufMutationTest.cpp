// Damaged GGUF files: cut at every byte, and with bytes and fields replaced. Whatever happens, the
// parser answers with a file that can be read through to its last byte, or with one line.
#include "GgufBytes.h"
#include "llmir/formats/gguf/GgufWriter.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <memory>
#include <random>

using namespace llmir;

namespace {
std::string seedFile() {
  static const std::vector<uint8_t> data(512, 3);
  GgufWriter writer;
  writer.addU32("general.alignment", 32);
  writer.addString("general.name", "seed");
  writer.addBool("flag", true);
  writer.addF32("float", 1);
  writer.addStringArray("strings", std::vector<std::string>{"", "some", "words"});
  writer.addI32Array("ints", std::vector<int32_t>{1, 2, 3});
  GgufBytes inner;
  inner.u32(0).u64(2).raw("ab").u32(0).u64(1).raw("c");
  writer.addValue("nested", {.type = GgufType::Array,
                             .isArray = true,
                             .count = 2,
                             .data = reinterpret_cast<const uint8_t *>(inner.bytes.data()),
                             .bytes = inner.bytes.size()});
  writer.addTensor("matrix", Format::Q4_K, {2, 256}, std::span(data).first(288));
  writer.addTensor("vector", Format::F16, {2, 2, 3}, std::span(data).first(24));
  writer.addTensor("blocks", Format::Q8_0, {32}, std::span(data).first(34));
  return writer.toBytes();
}

/// What every error owes the user: the file, one printable line, a way out.
void checkMessage(const std::string &message) {
  EXPECT_TRUE(message.starts_with("m.gguf: ")) << message;
  EXPECT_TRUE(std::ranges::none_of(message, [](unsigned char c) { return c < 32; })) << message;
  EXPECT_NE(message.find(';'), std::string::npos) << "no way out: " << message;
  EXPECT_LT(message.size(), 400u) << message;
}

template <typename T> T checked(Expected<T> value) {
  if (value)
    return std::move(*value);
  checkMessage(value.error().message);
  return {};
}

/// Touches everything a parsed file offers; sums, so that nothing is optimised away.
size_t readThrough(const GgufFile &file) {
  size_t sum = 0;
  for (std::string_view key : file.keys()) {
    sum += key.size();
    for (std::string_view text : checked(file.getStringArray(key)))
      for (char c : text)
        sum += static_cast<uint8_t>(c);
    for (char c : checked(file.getString(key)))
      sum += static_cast<uint8_t>(c);
    sum += checked(file.getI32Array(key)).size() + checked(file.getF32Array(key)).size();
    sum += checked(file.getU64(key)) + checked(file.getBool(key));
    checked(file.getI64(key));
    checked(file.getF32(key));
  }
  for (const GgufTensor &tensor : file.tensors())
    for (uint8_t byte : tensor.bytes)
      sum += byte;
  return sum;
}

/// Parses a copy that ends exactly where its allocation ends: a sanitizer sees any byte too far.
bool survives(std::string_view bytes) {
  auto copy = std::make_unique<char[]>(bytes.size());
  std::memcpy(copy.get(), bytes.data(), bytes.size());
  auto file = GgufBytes::parseGguf({copy.get(), bytes.size()});
  if (file) {
    volatile size_t sum = readThrough(*file);
    (void)sum;
    return true;
  }
  checkMessage(file.error().message);
  return false;
}
} // namespace

TEST(GgufMutation, TruncationAtEveryByteIsRefused) {
  const std::string seed = seedFile();
  ASSERT_TRUE(survives(seed));
  // The last tensor has 34 bytes of its last 64: only padding may be missing.
  for (size_t size = 0; size < seed.size() - 30; ++size)
    ASSERT_FALSE(survives(std::string_view(seed).substr(0, size))) << size;
}

TEST(GgufMutation, EveryByteWithEveryValueOfInterest) {
  const std::string seed = seedFile();
  for (size_t at = 0; at < seed.size() - 512; ++at)
    for (int value : {0, 1, 2, 8, 9, 13, 31, 0x7f, 0x80, 0xff}) {
      std::string mutant = seed;
      mutant[at] = static_cast<char>(value);
      survives(mutant);
    }
}

TEST(GgufMutation, EveryPlaceWithEveryWordOfInterest) {
  const std::string seed = seedFile();
  const uint64_t words[] = {0,          1,         INT64_MAX,         UINT64_MAX, uint64_t{1} << 63,
                            UINT32_MAX, INT32_MAX, uint64_t{1} << 32, 1u << 20,   seed.size()};
  for (size_t at = 0; at + 8 <= seed.size(); ++at)
    for (uint64_t word : words) {
      std::string mutant = seed;
      std::memcpy(mutant.data() + at, &word, 8);
      survives(mutant);
      std::memcpy(mutant.data() + at, seed.data() + at, 8);
      std::memcpy(mutant.data() + at, &word, 4);
      survives(mutant);
    }
}

TEST(GgufMutation, SeededNoise) {
  const std::string seed = seedFile();
  std::mt19937 random(11);
  for (int round = 0; round < 20000; ++round) {
    std::string mutant = seed;
    for (uint32_t change = random() % 4 + 1; change > 0; --change) {
      const size_t at = random() % mutant.size();
      switch (random() % 3) {
      case 0:
        mutant[at] = static_cast<char>(random());
        break;
      case 1: // a piece is lost
        mutant.erase(at, random() % 16);
        break;
      default: // a piece appears twice
        mutant.insert(at, mutant.substr(random() % mutant.size(), random() % 64));
      }
      if (mutant.empty())
        mutant = seed;
    }
    survives(mutant);
  }
}
