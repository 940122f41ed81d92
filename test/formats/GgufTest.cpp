// Reading and writing GGUF files: what comes back, and the one line that each damage gives.
#include "GgufBytes.h"
#include "llmir/formats/gguf/GgufWriter.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace llmir;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

namespace {
constexpr uint64_t huge[] = {INT64_MAX, UINT64_MAX, uint64_t{1} << 61, uint64_t{1} << 40};

std::string errorOf(const Expected<GgufFile> &result) {
  if (result)
    return "no error";
  EXPECT_THAT(result.error().message, AllOf(testing::StartsWith("m.gguf: "), Not(HasSubstr("\n"))));
  return result.error().message;
}
std::string errorOf(const GgufBytes &file) { return errorOf(file.parse()); }

std::string writtenFile() {
  static const std::vector<uint8_t> matrix(3 * 2 * 18, 7), vector(5 * 4, 1);
  GgufWriter writer;
  writer.addString("general.architecture", "llama");
  writer.addU32("a.u32", 7);
  writer.addU64("a.u64", UINT64_MAX);
  writer.addI32("a.i32", -7);
  writer.addF32("a.f32", 0.5f);
  writer.addBool("a.bool", true);
  writer.addStringArray("a.strings", std::vector<std::string>{"x", "", "yz"});
  writer.addF32Array("a.floats", std::vector<float>{1, -2});
  writer.addI32Array("a.ints", std::vector<int32_t>{-3, 4});
  writer.addTensor("matrix", Format::Q4_0, {3, 64}, matrix);
  writer.addTensor("vector", Format::F32, {5}, vector);
  return writer.toBytes();
}
} // namespace

TEST(Gguf, WrittenFilesComeBack) {
  const std::string bytes = writtenFile();
  auto file = GgufBytes::parseGguf(bytes);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->version(), 3u);
  EXPECT_THAT(file->keys(),
              testing::ElementsAre("general.architecture", "a.u32", "a.u64", "a.i32", "a.f32",
                                   "a.bool", "a.strings", "a.floats", "a.ints"));
  EXPECT_EQ(*file->getString("general.architecture"), "llama");
  EXPECT_EQ(*file->getU64("a.u32"), 7u);
  EXPECT_EQ(*file->getU64("a.u64"), UINT64_MAX);
  EXPECT_EQ(*file->getI64("a.i32"), -7);
  EXPECT_EQ(*file->getF32("a.f32"), 0.5f);
  EXPECT_TRUE(*file->getBool("a.bool"));
  EXPECT_THAT(*file->getStringArray("a.strings"), testing::ElementsAre("x", "", "yz"));
  EXPECT_THAT(*file->getF32Array("a.floats"), testing::ElementsAre(1, -2));
  EXPECT_THAT(*file->getI32Array("a.ints"), testing::ElementsAre(-3, 4));

  const GgufTensor *matrix = file->findTensor("matrix"), *vector = file->findTensor("vector");
  ASSERT_TRUE(matrix && vector && !file->findTensor("other"));
  EXPECT_EQ(matrix->format, Format::Q4_0);
  EXPECT_THAT(matrix->shape, testing::ElementsAre(3, 64));
  EXPECT_EQ(matrix->bytes.size(), 108u);
  EXPECT_EQ(matrix->bytes[0], 7);
  EXPECT_EQ(vector->offset % 32, 0u);
  EXPECT_EQ(vector->bytes[0], 1);
}

TEST(Gguf, ValuesAreCopiedFromFileToFile) {
  const std::string bytes = writtenFile();
  auto file = GgufBytes::parseGguf(bytes);
  GgufWriter writer;
  for (std::string_view key : file->keys())
    writer.addValue(key, *file->value(key));
  for (const GgufTensor &tensor : file->tensors())
    writer.addTensor(tensor.name, tensor.format, tensor.shape, tensor.bytes);
  EXPECT_EQ(writer.toBytes(), bytes);
}

TEST(Gguf, FilesOnDisk) {
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("gguf-{}", getpid());
  std::filesystem::create_directory(folder);
  const std::string path = (folder / "m.gguf").string();
  GgufWriter writer;
  writer.addString("a", "b");
  ASSERT_TRUE(writer.write(path));
  auto file = GgufFile::open(path);
  ASSERT_TRUE(file) << file.error().message;
  GgufFile moved = std::move(*file); // views stay valid
  EXPECT_EQ(*moved.getString("a"), "b");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);

  auto unwritable = writer.write((folder / "none" / "m.gguf").string());
  ASSERT_FALSE(unwritable);
  EXPECT_THAT(unwritable.error().message, HasSubstr("No such file"));
  const std::string taken = (folder / "taken").string();
  std::filesystem::create_directory(taken);
  EXPECT_EQ(writer.write(taken).error().message, taken + ": cannot be written: Is a directory");
  std::filesystem::remove(taken);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
  auto missing = GgufFile::open((folder / "missing.gguf").string());
  ASSERT_FALSE(missing);
  EXPECT_THAT(
      missing.error().message,
      HasSubstr("missing.gguf: cannot be opened: No such file or directory; pass a .gguf file"));
  auto directory = GgufFile::open(folder.string());
  ASSERT_FALSE(directory);
  EXPECT_THAT(directory.error().message, HasSubstr("is not a regular file"));
  const std::string pipe = (folder / "pipe").string();
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_FALSE(GgufFile::open(pipe)); // and does not wait for a writer
  std::filesystem::remove_all(folder);
}

TEST(Gguf, TypedAccessSaysWhatIsThere) {
  const std::string bytes = writtenFile();
  auto file = GgufBytes::parseGguf(bytes);
  EXPECT_THAT(file->getU64("none").error().message,
              HasSubstr("m.gguf: has no metadata key 'none'"));
  EXPECT_THAT(file->getU64("a.i32").error().message,
              HasSubstr("'a.i32' is i32 -7, expected an integer that is not negative"));
  EXPECT_THAT(file->getI64("a.u64").error().message,
              HasSubstr("'a.u64' is u64 18446744073709551615, expected an integer"));
  EXPECT_THAT(file->getU64("a.f32").error().message, HasSubstr("is f32 0.5, expected an integer"));
  EXPECT_THAT(file->getF32("a.u32").error().message, HasSubstr("is u32 7, expected a float"));
  EXPECT_THAT(file->getBool("a.u32").error().message, HasSubstr("is u32 7, expected a bool"));
  EXPECT_THAT(file->getU64("a.bool").error().message, HasSubstr("is bool, expected an integer"));
  EXPECT_THAT(file->getString("a.ints").error().message,
              HasSubstr("is an array of i32, expected a string"));
  EXPECT_THAT(file->getStringArray("general.architecture").error().message,
              HasSubstr("is string, expected an array of strings"));
  EXPECT_THAT(file->getF32Array("a.ints").error().message,
              HasSubstr("has the element i32 -3 at index 0, expected an array of floats"));
  EXPECT_THAT(file->getI32Array("a.strings").error().message, HasSubstr("is an array of string"));
  EXPECT_THAT(file->getI32Array("a.u32").error().message, HasSubstr("is u32 7"));

  EXPECT_EQ(*file->findU64("none"), std::nullopt);
  EXPECT_EQ(*file->findStringArray("none"), std::nullopt);
  EXPECT_EQ(*file->findU64("a.u32"), 7u);
  EXPECT_FALSE(file->findU64("a.f32"));
  EXPECT_FALSE(file->findString("a.f32"));
}

TEST(Gguf, NoGguf) {
  EXPECT_THAT(errorOf(GgufBytes()), HasSubstr("is empty; pass a .gguf file"));
  EXPECT_THAT(errorOf(GgufBytes().raw("PK\x03\x04 and more")),
              HasSubstr("is no GGUF file: starts with 50 4b 03 04, expected 'GGUF'; pass a .gguf"));
  EXPECT_THAT(errorOf(GgufBytes().raw("GG")), HasSubstr("starts with 47 47"));
  EXPECT_THAT(errorOf(GgufBytes().raw("GGUF")), HasSubstr("in the middle of the version"));
}

TEST(Gguf, Versions) {
  EXPECT_TRUE(GgufBytes().header(0, 0, 2).parse());
  EXPECT_TRUE(GgufBytes().header(0, 0, 3).parse());
  for (uint32_t version : {0u, 1u, 4u, 0xffffffffu})
    EXPECT_THAT(
        errorOf(GgufBytes().header(0, 0, version)),
        HasSubstr(fmt::format("has GGUF version {}, versions 2 and 3 are supported", version)));
  EXPECT_THAT(errorOf(GgufBytes().header(0, 0, 0x03000000)), HasSubstr("big-endian"));
}

TEST(Gguf, HugeCountsAndLengths) {
  for (uint64_t count : huge) {
    EXPECT_THAT(errorOf(GgufBytes().header(count, 0)),
                HasSubstr(fmt::format("number of tensors is {}", count)));
    EXPECT_THAT(errorOf(GgufBytes().header(0, count)),
                HasSubstr(fmt::format("number of metadata keys is {}", count)));
    EXPECT_THAT(errorOf(GgufBytes().header(0, 1).u64(count).data(64)),
                HasSubstr(fmt::format("name of metadata key 0 has a string of {} bytes", count)));
    EXPECT_THAT(errorOf(GgufBytes().header(0, 1).key("k", GgufType::String).u64(count).data(64)),
                HasSubstr("metadata key 'k' has a string of"));
    for (uint32_t type = 0; type <= 12; ++type)
      EXPECT_THAT(
          errorOf(GgufBytes().header(0, 1).key("k", GgufType::Array).u32(type).u64(count).data(64)),
          HasSubstr(fmt::format("metadata key 'k' has {}", count)));
    EXPECT_THAT(errorOf(GgufBytes().header(1, 0).u64(count).data(64)),
                HasSubstr("name of tensor 0 has a string of"));
    EXPECT_THAT(errorOf(GgufBytes().header(1, 0).tensor("t", {32, count}, 0, 0).data(64)),
                testing::AnyOf(HasSubstr("in dimension 1, it must be positive"),
                               HasSubstr("the file is truncated")));
    EXPECT_THAT(errorOf(GgufBytes().header(1, 0).tensor("t", {32}, 0, count).data(128)),
                testing::AnyOf(HasSubstr("must be a multiple of the alignment 32"),
                               HasSubstr(fmt::format("at offset {} of the tensor data", count))));
  }
}

TEST(Gguf, Metadata) {
  EXPECT_THAT(errorOf(GgufBytes().header(0, 1).string("k").u32(13).u64(0)),
              HasSubstr("metadata key 'k' has the value type 13, types 0 to 12 exist"));
  EXPECT_THAT(errorOf(GgufBytes().header(0, 1).key("k", GgufType::Array).u32(99).u64(0)),
              HasSubstr("metadata key 'k' is an array of type 99"));
  EXPECT_THAT(
      errorOf(
          GgufBytes().header(0, 2).key("k", GgufType::U32).u32(1).key("k", GgufType::U32).u32(1)),
      HasSubstr("metadata key 'k' appears twice"));
  EXPECT_THAT(errorOf(GgufBytes().header(0, 1).key("line\nbreak", GgufType::Array).u32(99).u64(0)),
              HasSubstr("'line?break'"));
}

TEST(Gguf, NestedArrays) {
  GgufBytes shallow = GgufBytes().header(0, 1).key("k", GgufType::Array).u32(9).u64(1);
  shallow.u32(0).u64(3).raw("abc");
  auto file = shallow.parse();
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_THAT(file->getI32Array("k").error().message, HasSubstr("is an array of array"));

  GgufBytes deep = GgufBytes().header(0, 1).key("k", GgufType::Array);
  for (int level = 0; level < 100000; ++level)
    deep.u32(9).u64(1);
  EXPECT_THAT(errorOf(deep), HasSubstr("arrays inside arrays, 4 levels are allowed"));
}

TEST(Gguf, Alignment) {
  auto withAlignment = [](GgufType type, auto value) {
    return GgufBytes()
        .header(1, 1)
        .key("general.alignment", type)
        .number(value)
        .tensor("t", {2}, 0, 0)
        .data(8, 64);
  };
  auto aligned = withAlignment(GgufType::U32, uint32_t{64}).parse();
  ASSERT_TRUE(aligned) << aligned.error().message;
  EXPECT_EQ(aligned->tensors()[0].offset % 64, 0u);
  for (uint32_t bad : {0u, 1u, 13u, 48u, 0x80000000u, 0xffffffffu})
    EXPECT_THAT(
        errorOf(withAlignment(GgufType::U32, bad)),
        HasSubstr(fmt::format("'general.alignment' is {}, it must be a power of two", bad)));
  EXPECT_THAT(errorOf(withAlignment(GgufType::F32, 32.0f)),
              HasSubstr("'general.alignment' is f32 32, expected an integer"));
}

TEST(Gguf, TensorShapes) {
  EXPECT_THAT(errorOf(GgufBytes().header(1, 0).tensor("t", {}, 0, 0).data(64)),
              HasSubstr("tensor 't' has 0 dimensions, 1 to 4 are allowed"));
  EXPECT_THAT(errorOf(GgufBytes().header(1, 0).tensor("t", {1, 1, 1, 1, 1}, 0, 0).data(64)),
              HasSubstr("tensor 't' has 5 dimensions"));
  EXPECT_THAT(errorOf(GgufBytes().header(1, 0).tensor("t", {32, 0}, 0, 0).data(64)),
              HasSubstr("tensor 't' has the size 0 in dimension 1"));
  const uint64_t half = uint64_t{1} << 32;
  EXPECT_THAT(errorOf(GgufBytes().header(1, 0).tensor("t", {half, half, 2}, 0, 0).data(64)),
              HasSubstr("in dimension 1"));
  EXPECT_THAT(errorOf(GgufBytes().header(1, 0).tensor("t", {48, 2}, 2, 0).data(64)),
              HasSubstr("tensor 't' has rows of 48 elements, q4_0 needs a multiple of 32"));
  EXPECT_THAT(errorOf(GgufBytes().header(1, 0).tensor("t", {576}, 12, 0).data(999)),
              HasSubstr("q4_k needs a multiple of 256"));
}

TEST(Gguf, TensorTypes) {
  for (const FormatInfo &info : allFormats()) {
    if (info.ggufType < 0)
      continue;
    const auto elements = static_cast<uint64_t>(info.blockElements);
    auto file = GgufBytes()
                    .header(1, 0)
                    .tensor("t", {elements, 2}, static_cast<uint32_t>(info.ggufType), 0)
                    .data(static_cast<size_t>(2 * info.blockBytes))
                    .parse();
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(file->tensors()[0].format, info.format);
  }
  EXPECT_THAT(errorOf(GgufBytes().header(1, 0).tensor("t", {32}, 4, 0).data(64)),
              HasSubstr("tensor type 4 (Q4_2), which GGUF has removed"));
  EXPECT_THAT(errorOf(GgufBytes().header(1, 0).tensor("t", {32}, 31, 0).data(64)),
              HasSubstr("repacked"));
  for (uint32_t type : {42u, 1000u, 0xffffffffu})
    EXPECT_THAT(errorOf(GgufBytes().header(1, 0).tensor("t", {32}, type, 0).data(64)),
                HasSubstr(fmt::format("tensor 't' has the tensor type {}, types 0 to 41", type)));
}

TEST(Gguf, TensorPlaces) {
  EXPECT_THAT(
      errorOf(GgufBytes().header(1, 0).tensor("t", {32}, 0, 0).data(127)),
      HasSubstr("tensor 't' has 128 bytes at offset 0 of the tensor data, the file has 127"));
  EXPECT_THAT(errorOf(GgufBytes().header(1, 0).tensor("t", {32}, 0, 0)),
              HasSubstr("the file is truncated"));
  EXPECT_THAT(errorOf(GgufBytes().header(1, 0).tensor("t", {1}, 0, 4).data(64)),
              HasSubstr("offset 4, it must be a multiple of the alignment 32"));
  EXPECT_THAT(
      errorOf(GgufBytes().header(2, 0).tensor("b", {32}, 0, 96).tensor("a", {32}, 0, 0).data(512)),
      HasSubstr("tensors 'a' and 'b' overlap"));
  EXPECT_THAT(
      errorOf(GgufBytes().header(2, 0).tensor("t", {8}, 0, 0).tensor("t", {8}, 0, 32).data(64)),
      HasSubstr("tensor 't' appears twice"));
  // Any order and gaps between tensors are fine.
  EXPECT_TRUE(
      GgufBytes().header(2, 0).tensor("b", {8}, 0, 128).tensor("a", {8}, 0, 0).data(160).parse());
}

TEST(Gguf, RealModelOpensFast) {
  const char *path = std::getenv("LLMIR_MODEL");
  if (!path)
    GTEST_SKIP() << "LLMIR_MODEL names no model file";
  const auto start = std::chrono::steady_clock::now();
  auto file = GgufFile::open(path);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_LT(seconds.count(), 0.2); // takes about 1 ms; the slack is for busy machines
  fmt::print("opened in {:.2f} ms\n", seconds.count() * 1e3);
}
