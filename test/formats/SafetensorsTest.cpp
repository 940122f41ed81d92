// safetensors files put together byte by byte: what is read, and every way of being damaged.
#include "llmir/formats/safetensors/Safetensors.h"

#include <algorithm>
#include <cstring>
#include <gmock/gmock.h>
#include <memory>
#include <random>

using namespace llmir;
using testing::HasSubstr;

namespace {

std::string fileOf(const std::string &header, size_t dataBytes, uint64_t length) {
  std::string file(8, '\0');
  std::memcpy(file.data(), &length, 8);
  return file + header + std::string(dataBytes, '\1');
}
std::string fileOf(const std::string &header, size_t dataBytes = 0) {
  return fileOf(header, dataBytes, header.size());
}

/// From memory that ends where the file does: a sanitizer sees any byte too far.
Expected<std::vector<SafetensorsTensor>> parse(const std::string &file) {
  auto copy = std::make_unique<uint8_t[]>(file.size());
  std::memcpy(copy.get(), file.data(), file.size());
  auto tensors = parseSafetensors({copy.get(), file.size()}, "m.safetensors");
  if (!tensors) {
    const std::string &message = tensors.error().message;
    EXPECT_TRUE(message.starts_with("m.safetensors: ")) << message;
    EXPECT_TRUE(std::ranges::none_of(message, [](unsigned char c) { return c < 32; })) << message;
    EXPECT_LT(message.size(), 400u) << message;
  }
  return tensors;
}

constexpr std::string_view whole =
    R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[],"data_offsets":[12,16]},)"
    R"("a.weight":{"shape":[2,3],"dtype":"BF16","data_offsets":[0,12]},)"
    R"("c":{"dtype":"I64","shape":[0,4],"data_offsets":[16,16]}}   )";

} // namespace

TEST(Safetensors, TensorsInTheOrderOfTheirBytes) {
  const std::string file = fileOf(std::string(whole), 16);
  auto tensors =
      parseSafetensors({reinterpret_cast<const uint8_t *>(file.data()), file.size()}, "m");
  ASSERT_TRUE(tensors) << tensors.error().message;
  ASSERT_EQ(tensors->size(), 3u);
  const SafetensorsTensor &a = (*tensors)[0], &b = (*tensors)[1], &c = (*tensors)[2];
  EXPECT_EQ(a.name, "a.weight");
  EXPECT_EQ(a.type->name, "BF16");
  EXPECT_EQ(a.type->format, Format::BF16);
  EXPECT_EQ(a.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(a.offset, 8 + whole.size());
  EXPECT_EQ(a.bytes.size(), 12u);
  EXPECT_EQ(b.name, "b");
  EXPECT_TRUE(b.shape.empty());
  EXPECT_EQ(c.name, "c");
  EXPECT_TRUE(c.bytes.empty());
  EXPECT_TRUE(parse(fileOf("{}"))->empty());
}

TEST(Safetensors, NamesWhatIsDamaged) {
  auto tensor = [](const std::string &fields) { return "{\"a\":{" + fields + "}}"; };
  auto typed = [&](const std::string &type, const std::string &shape, const std::string &offsets) {
    return tensor(
        fmt::format(R"("dtype":"{}","shape":{},"data_offsets":{})", type, shape, offsets));
  };
  const struct {
    std::string file;
    const char *message;
  } cases[] = {
      {"", "it has 0 bytes, at least 8 are needed"},
      {"{\"a\": 1}",
       "ask for a header of 9021026962656797307 bytes, at most 100000000 are allowed"},
      {fileOf("{}", 0, 3), "ends after 10 bytes, within its header of 3; the file is truncated"},
      {fileOf(" {}"), "the header does not begin with '{'"},
      {fileOf(""), "the header does not begin with '{'"},
      {fileOf("{"), "the header is not JSON at its byte 2"},
      {fileOf("{\"\xff\": 1}"), "the header is not JSON at its byte 3"},
      {fileOf("{}x"), "the header is not JSON at its byte 3"},
      {fileOf(R"({"a":1})"), "tensor 'a' is or holds 1, expected an object"},
      {fileOf(R"({"a":[]})"), "tensor 'a' is or holds a list, expected an object"},
      {fileOf(R"({"__metadata__":{"a":1}})"), "__metadata__ is or holds 1, expected a string"},
      {fileOf(R"({"__metadata__":{"a":{}}})"), "__metadata__ is or holds an object"},
      {fileOf(R"({"__metadata__":{"a":[]}})"), "__metadata__ is or holds a list"},
      {fileOf(tensor("")), "tensor 'a' has no dtype"},
      {fileOf(tensor(R"("dtype":"F32")")), "tensor 'a' has no shape"},
      {fileOf(tensor(R"("dtype":"F32","shape":[])")), "tensor 'a' has no data_offsets"},
      {fileOf(tensor(R"("dtype":"F32","dtype":"F32")")), "field dtype appears twice"},
      {fileOf(tensor(R"("frob":1)")), "tensor 'a': field frob is not known"},
      {fileOf(tensor(R"("dtype":null)")), "field dtype is or holds null, expected a string"},
      {fileOf(tensor(R"("dtype":[])")), "field dtype is or holds a list, expected a string"},
      {fileOf(tensor(R"("shape":"x")")), "field shape is or holds a string, expected a list"},
      {fileOf(tensor(R"("shape":{}")")), "field shape is or holds an object, expected a list"},
      {fileOf(tensor(R"("shape":[[1]])")), "field shape is or holds a list, expected an integer"},
      {fileOf(tensor(R"("shape":[-1])")), "field shape is or holds -1, expected an integer"},
      {fileOf(tensor(R"("shape":[1.5])")), "field shape is or holds 1.5, expected an integer"},
      {fileOf(tensor(R"("shape":[true])")), "field shape is or holds a bool, expected an integer"},
      {fileOf(typed("F32", "[]", "[0,4,4]"), 4), "field data_offsets has more than 2 numbers"},
      {fileOf(typed("F32", "[]", "[0]"), 4), "data_offsets of 1 numbers"},
      {fileOf(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":1})", 4),
       "tensor 'a' appears twice"},
      {fileOf(typed("F33", "[1]", "[0,4]"), 4),
       "has the dtype F33, which is not known; known: BOOL"},
      {fileOf(typed("F32", "[1]", "[0,5]"), 4), "data_offsets [0, 5], the file has 4 bytes"},
      {fileOf(typed("F32", "[1]", "[4,0]"), 4), "data_offsets [4, 0]"},
      {fileOf(typed("F32", "[1]", "[0,18446744073709551615]"), 4), "the file has 4 bytes"},
      {fileOf(typed("F32", "[2]", "[0,4]"), 4), "has 4 bytes, its shape [2] of F32 does not"},
      {fileOf(typed("F32", "[4611686018427387904,4]", "[0,0]")), "of F32 does not"},
      {fileOf(typed("F4", "[3]", "[0,1]"), 1), "its shape [3] of F4 does not"},
      {fileOf(typed("F32", "[0,18446744073709551615]", "[0,0]")), "has the shape [0, 184467"},
      {fileOf(typed("F32", "[1]", "[4,8]"), 8),
       "'a' begins at byte 66 of the file, the one before"},
      {fileOf(typed("F32", "[1]", "[0,4]"), 5), "the last tensor ends at byte 66 of 67"},
      {fileOf("{}", 1), "the last tensor ends at byte 10 of 11"},
      {fileOf(R"({"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]},)"
              R"("b":{"dtype":"I8","shape":[4],"data_offsets":[2,6]}})",
              6),
       "tensor 'b' begins at byte 115 of the file, the one before it ends at 117"},
  };
  for (const auto &[file, message] : cases) {
    auto result = parse(file);
    ASSERT_FALSE(result) << message;
    EXPECT_THAT(result.error().message, HasSubstr(message));
  }
}

TEST(Safetensors, DepthAndDimensionsAreBounded) {
  EXPECT_THAT(parse(fileOf("{\"a\":" + std::string(1 << 20, '['))).error().message,
              HasSubstr("expected an object"));
  std::string shape = "1";
  for (int i = 0; i < 32; ++i)
    shape += ",1";
  EXPECT_THAT(parse(fileOf("{\"a\":{\"shape\":[" + shape + "]}}")).error().message,
              HasSubstr("field shape has more than 32 numbers"));
}

TEST(Safetensors, AnyDamageIsOneLine) {
  const std::string file = fileOf(std::string(whole), 16);
  for (size_t size = 0; size < file.size(); ++size)
    EXPECT_FALSE(parse(file.substr(0, size))) << size;
  std::mt19937 random(20);
  for (size_t at = 0; at < file.size() - 16; ++at)
    for (int turn = 0; turn < 20; ++turn) {
      std::string changed = file;
      changed[at] = char(random());
      parse(changed); // whatever it says
    }
}
