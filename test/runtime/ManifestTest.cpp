// The manifest survives a round trip, and nothing out of range gets through.
#include "Fixture.h"
#include <gmock/gmock.h>

using namespace llmir;
using testing::HasSubstr;
using testing::Not;

namespace {

TEST(Manifest, RoundTrip) {
  FixtureArtifact artifact;
  artifact.manifest.features = {"avx2", "fma"};
  artifact.manifest.modelFile = "/models/a \"b\".gguf";
  std::string json = manifestToJson(artifact.manifest);
  auto read = manifestFromJson(json, "m");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(manifestToJson(*read), json);
}

TEST(Manifest, SaysWhatWasQuantised) {
  Manifest manifest = FixtureArtifact().manifest;
  EXPECT_THAT(manifestToJson(manifest), Not(HasSubstr("quantize")));
  manifest.quantize = "int4";
  std::string json = manifestToJson(manifest);
  auto read = manifestFromJson(json, "m");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->quantize, "int4");
  json.replace(json.find("int4"), 4, "int3");
  EXPECT_EQ(manifestFromJson(json, "m").error().message, "m: the field \"quantize\" is \"int3\"");
}

TEST(Manifest, ErrorsNameTheField) {
  std::string good = manifestToJson(FixtureArtifact().manifest);
  auto errorAfter = [&](const std::string &from, const std::string &to) {
    std::string json = good;
    size_t at = json.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    json.replace(at, from.size(), to);
    auto read = manifestFromJson(json, "m.json");
    return read ? std::string("accepted") : read.error().message;
  };
  EXPECT_EQ(errorAfter("\"abi_version\": 1", "\"x\": 1"),
            "m.json: the field \"abi_version\" is missing");
  EXPECT_THAT(errorAfter("\"vocabulary\": 97", "\"vocabulary\": -1"),
              HasSubstr("\"vocabulary\" is -1"));
  EXPECT_THAT(errorAfter("\"vocabulary\": 97", "\"vocabulary\": 97.5"), HasSubstr("97.5"));
  EXPECT_THAT(errorAfter("\"block_tokens\": 4", "\"block_tokens\": 0"), HasSubstr("block_tokens"));
  EXPECT_THAT(errorAfter("\"block_tokens\": 4", "\"block_tokens\": 18446744073709551615"),
              HasSubstr("block_tokens"));
  EXPECT_THAT(errorAfter("\"int8\"", "\"int3\""), HasSubstr("\"int3\""));
  EXPECT_THAT(errorAfter("\"offset\": 0", "\"offset\": 1"), HasSubstr("offset"));
  EXPECT_THAT(errorAfter("\"offset\": 0", "\"offset\": 64"), HasSubstr("\"bytes\" is 64"));
  EXPECT_THAT(errorAfter("\"row\": 0", "\"row\": 1"), HasSubstr("weight 0: the field \"row\""));
  EXPECT_THAT(errorAfter("{", "["), HasSubstr("not JSON"));
  std::string noList = good.substr(0, good.find("\"weights\": [")) + "\"weights\": 3}";
  EXPECT_EQ(manifestFromJson(noList, "m").error().message,
            "m: the field \"weights\" is not a list");
  EXPECT_THAT(manifestFromJson("[]", "m").error().message, HasSubstr("not an object"));
  EXPECT_THAT(manifestFromJson("", "m").error().message, HasSubstr("not JSON"));
}

} // namespace
