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

/// A step of one phase, with all that a kernel can have, and a call.
std::vector<FunctionManifest> someFunctions() {
  KernelManifest kernel;
  kernel.op = "llm.experts.linear";
  kernel.names = {"product", "other"};
  kernel.ofLogitRows = true;
  kernel.weights = {{"up", 640}};
  kernel.rowBytes = 1;
  kernel.rowOperations = 2;
  kernel.format = "q4_0";
  kernel.activations = "a8";
  kernel.rows = 3;
  kernel.columns = 32;
  kernel.lanes = 8;
  kernel.rowBlocks = 5;
  kernel.matrices = 6;
  kernel.picked = 7;
  kernel.tileTokens = 4;
  kernel.unpackFrom = 16;
  kernel.positionBytes = 9;
  kernel.positionOperations = 10;
  kernel.windows = {0, 11};
  FunctionManifest layer{"layer", {{}}}, step{"step", {{}}};
  layer.parts[0].phase = {"heads", {kernel}, 1, 4, {2, 128, 4}};
  step.parts[0].callee = 0;
  step.parts[0].layer = 12;
  return {layer, step};
}

TEST(Manifest, SaysWhatAStepConsistsOf) {
  Manifest manifest = FixtureArtifact().manifest;
  EXPECT_THAT(manifestToJson(manifest), Not(HasSubstr("functions")));
  manifest.functions = someFunctions();
  const std::string json = manifestToJson(manifest);
  auto read = manifestFromJson(json, "m");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(manifestToJson(*read), json);
  ASSERT_EQ(read->functions.size(), 2U);
  EXPECT_EQ(read->functions[1].parts[0].layer, 12);
  const KernelManifest &kernel = read->functions[0].parts[0].phase.kernels[0];
  EXPECT_EQ(kernel.unpackFrom, 16);
  EXPECT_EQ(kernel.windows, (std::vector<int64_t>{0, 11}));
  EXPECT_EQ(read->functions[0].parts[0].phase.attention.splitPositions, 128);
}

TEST(Manifest, ErrorsNameThePartOfTheStep) {
  Manifest manifest = FixtureArtifact().manifest;
  manifest.functions = someFunctions();
  const std::string good = manifestToJson(manifest);
  auto errorAfter = [&](const std::string &from, const std::string &to) {
    std::string json = good;
    size_t at = json.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    json.replace(at, from.size(), to);
    auto read = manifestFromJson(json, "m");
    return read ? std::string("accepted") : read.error().message;
  };
  EXPECT_THAT(errorAfter("\"call\": 0", "\"call\": 1"),
              HasSubstr("m, functions 1, parts 0: the field \"call\" is 1")); // itself
  EXPECT_THAT(errorAfter("\"layer\": 12", "\"layer\": -2"), HasSubstr("\"layer\" is -2"));
  EXPECT_THAT(errorAfter("\"heads\"", "\"legs\""), HasSubstr("\"partition\" is \"legs\""));
  EXPECT_THAT(errorAfter("\"prologue\": 1", "\"prologue\": 2"), HasSubstr("from 1 to 1"));
  EXPECT_THAT(errorAfter("\"kv_heads\": 2", "\"kv_heads\": 0"),
              HasSubstr("parts 0, attention: the field \"kv_heads\" is 0"));
  EXPECT_THAT(errorAfter("\"bytes\": 640", "\"bytes\": -1"),
              HasSubstr("kernels 0, weights 0: the field \"bytes\" is -1"));
  EXPECT_THAT(errorAfter("\"lanes\": 8", "\"lanes\": 1e30"), HasSubstr("\"lanes\""));
  EXPECT_THAT(errorAfter("\"of_logit_rows\": true", "\"of_logit_rows\": 1"),
              HasSubstr("is neither true nor false"));
  EXPECT_THAT(errorAfter("\"product\"", "5"), HasSubstr("\"names\" is not a list of strings"));
  EXPECT_THAT(errorAfter("\"windows\":", "\"windows\": 5, \"x\":"),
              HasSubstr("\"windows\" is not a list"));
  EXPECT_THAT(errorAfter("11", "-11"), HasSubstr("windows 1: the field \"window\" is -11"));
  EXPECT_THAT(errorAfter("\"functions\":", "\"functions\": 1, \"x\":"),
              HasSubstr("m: the field \"functions\" is not a list"));
  manifest.functions.resize(1025);
  EXPECT_THAT(manifestFromJson(manifestToJson(manifest), "m").error().message,
              HasSubstr("there are more than 1024 functions"));
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
