// What llmir inspect says of sizes and machines that nobody has to own.
#include "llmir/cli/Inspection.h"
#include <gmock/gmock.h>

using namespace llmir;

namespace {

constexpr int64_t megabyte = 1'000'000;

/// 100 MB of weights; each token of the cache takes 1 kB.
Manifest manifest() {
  Manifest manifest;
  manifest.weightBytes = 100 * megabyte;
  manifest.arenaBytesPerToken = 100;
  manifest.model = {.name = "", .vocabulary = 1000, .contextLength = 64'000, .layers = 2};
  manifest.kv = {.layers = 2,
                 .blockTokens = 32,
                 .kBlockBytes = 8000,
                 .vBlockBytes = 8000,
                 .elementType = "f16"};
  return manifest;
}

MemoryPlan plan(int64_t context, int32_t batch, const MemoryInfo &machine) {
  InspectionRequest request{.model = "m", .context = context, .batch = batch, .threads = 1};
  auto planned = planInspection(manifest(), request, machine, /*program=*/10 * megabyte);
  EXPECT_TRUE(planned) << planned.error().message;
  return planned.value_or(MemoryPlan());
}

TEST(InspectionPlan, ThePartsAddUp) {
  MemoryPlan got = plan(3200, 2, {.physical = 1000 * megabyte, .available = 500 * megabyte});
  EXPECT_EQ(got.use.kv, 2 * 3200 * 1000);
  EXPECT_EQ(got.kvPerToken, 1000);
  EXPECT_GT(got.program, 10 * megabyte);
  EXPECT_EQ(got.total(),
            got.program + got.use.weights + got.use.kv + got.use.scratch + got.use.logits);
  EXPECT_EQ(plan(0, 1, {}).context, 64'000); // the model's
  EXPECT_EQ(plan(100, 1, {}).prefillChunk, 100);
}

TEST(InspectionPlan, TheVerdictFollowsTheMachine) {
  const int64_t total = plan(3200, 2, {}).total();
  auto fit = [&](MemoryInfo machine) { return plan(3200, 2, machine).fit; };
  EXPECT_EQ(fit({.physical = total * 2, .available = total}), Fit::Fits);
  EXPECT_EQ(fit({.physical = total * 2, .available = total - 1}), Fit::Displaces);
  EXPECT_EQ(fit({.physical = total - 1, .available = total - 1}), Fit::No);
  EXPECT_EQ(fit({.physical = total * 2, .limit = total - 1, .available = total - 1}), Fit::No);
}

TEST(InspectionPlan, TheLargestSizesFitAndTheNextDoNot) {
  const MemoryInfo machine{.physical = 150 * megabyte, .available = 150 * megabyte};
  MemoryPlan got = plan(30'000, 4, machine);
  EXPECT_EQ(got.fit, Fit::No);
  EXPECT_EQ(got.wayOut,
            fmt::format("use --context {} or --batch {}", got.largestContext, got.largestBatch));
  EXPECT_EQ(plan(got.largestContext, 4, machine).fit, Fit::Fits);
  EXPECT_NE(plan(got.largestContext + 1, 4, machine).fit, Fit::Fits);
  EXPECT_EQ(plan(30'000, got.largestBatch, machine).fit, Fit::Fits);
  EXPECT_NE(plan(30'000, got.largestBatch + 1, machine).fit, Fit::Fits);
}

TEST(InspectionPlan, WeightsThatAreTooLargeAreNamed) {
  MemoryPlan got = plan(100, 1, {.physical = 50 * megabyte, .available = 50 * megabyte});
  EXPECT_EQ(got.largestContext, 0);
  EXPECT_EQ(got.largestBatch, 0);
  EXPECT_THAT(got.wayOut, testing::HasSubstr("fewer bits per weight"));
}

TEST(InspectionPlan, SizesBeyondTheModelOrTheAddressesAreErrors) {
  InspectionRequest request{.model = "m", .context = 64'001};
  EXPECT_THAT(planInspection(manifest(), request, {}, 0).error().message,
              testing::HasSubstr("64001 tokens is more than the model's 64000"));
  request.context = 0;
  request.batch = maxInspectedBatch;
  EXPECT_THAT(planInspection(manifest(), request, {}, 0).error().message,
              testing::HasSubstr("--context 64000 --batch 1048576: a KV cache of"));
}

} // namespace
