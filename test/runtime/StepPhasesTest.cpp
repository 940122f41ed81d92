// From the barriers of a step to the times of its phases: on the model written by hand, and for the
// conditions that decide how many barriers there are.
#include "llmir/runtime/engine/StepPhases.h"
#include "Fixture.h"
#include "llmir/runtime/engine/Session.h"
#include <gmock/gmock.h>

using namespace llmir;
using testing::HasSubstr;

namespace {

PhaseManifest phaseOf(std::vector<KernelManifest> kernels, int64_t prologue = 0) {
  PhaseManifest phase;
  phase.partition = "features";
  phase.kernels = std::move(kernels);
  phase.prologue = prologue;
  phase.replicatedRows = 4;
  return phase;
}

KernelManifest kernelOf(const char *name, bool ofLogitRows = false) {
  KernelManifest kernel;
  kernel.op = name;
  kernel.names = {name};
  kernel.ofLogitRows = ofLogitRows;
  return kernel;
}

/// A step that calls one layer function twice, between two phases of its own.
Manifest twoLayers(PhaseManifest inLayer) {
  Manifest manifest;
  FunctionPart first, last, call;
  first.phase = phaseOf({kernelOf("embed")});
  last.phase = phaseOf({kernelOf("norm", true), kernelOf("logits", true)}, 1);
  call.callee = 0;
  FunctionManifest layer{"layer", {{}}}, step{"step", {first, call, call, last}};
  layer.parts[0].phase = std::move(inLayer);
  step.parts[1].layer = 0;
  step.parts[2].layer = 1;
  manifest.functions = {layer, step};
  return manifest;
}

std::vector<int> barriersOf(const Manifest &manifest, const StepShape &shape) {
  std::vector<int> barriers;
  for (const PhaseRun &run : *phasesOfStep(manifest, shape))
    barriers.push_back(run.barriers);
  return barriers;
}

TEST(StepPhases, FollowCalls) {
  auto runs = phasesOfStep(twoLayers(phaseOf({kernelOf("linear")})), {.tokens = 1});
  ASSERT_TRUE(runs);
  std::vector<std::tuple<size_t, size_t, int64_t>> got;
  for (const PhaseRun &run : *runs)
    got.emplace_back(run.function, run.part, run.layer);
  EXPECT_THAT(got, testing::ElementsAre(std::tuple(1, 0, -1), std::tuple(0, 0, 0),
                                        std::tuple(0, 0, 1), std::tuple(1, 3, -1)));
}

TEST(StepPhases, SmallPrologueHasNoBarrier) {
  Manifest manifest = twoLayers(phaseOf({kernelOf("norm"), kernelOf("linear")}, 1));
  StepShape shape{.tokens = 4, .sequences = 1, .logitRows = 1, .workers = 2, .tokenCapacity = 16};
  EXPECT_EQ(barriersOf(manifest, shape), (std::vector<int>{1, 1, 1, 1}));
  shape.tokens = 5;
  EXPECT_EQ(barriersOf(manifest, shape), (std::vector<int>{1, 2, 2, 1}));
  shape.tokens = 4;
  shape.workers = 5; // 20 rows in all, for 16 there is room
  EXPECT_EQ(barriersOf(manifest, shape), (std::vector<int>{1, 2, 2, 1}));
  shape.logitRows = 5;
  EXPECT_EQ(barriersOf(manifest, shape), (std::vector<int>{1, 2, 2, 2}));
}

TEST(StepPhases, AttentionSplitsTheContextOfAFewSequences) {
  PhaseManifest attention = phaseOf({kernelOf("rope"), kernelOf("attention")}, 1);
  attention.attention = {.kvHeads = 3, .splitPositions = 128, .itemsPerWorker = 4};
  Manifest manifest = twoLayers(attention);
  StepShape shape{.tokens = 1,
                  .sequences = 1,
                  .logitRows = 1,
                  .lastPosition = 300,
                  .workers = 2,
                  .tokenCapacity = 16};
  auto inLayer = [&] { return (*phasesOfStep(manifest, shape))[1]; };
  EXPECT_TRUE(inLayer().isSplit);
  EXPECT_EQ(inLayer().barriers, 2);
  shape.lastPosition = 127; // one split
  EXPECT_FALSE(inLayer().isSplit);
  EXPECT_EQ(inLayer().barriers, 1);
  shape.lastPosition = 300;
  shape.tokens = shape.sequences = 3; // 9 items, more than 2 * 4
  EXPECT_FALSE(inLayer().isSplit);
  EXPECT_TRUE(inLayer().isReplicated);
  shape.sequences = 1; // a prompt
  EXPECT_FALSE(inLayer().isReplicated);
  EXPECT_EQ(inLayer().barriers, 2);
}

TEST(StepPhases, RefusesWhatIsNotDescribed) {
  EXPECT_THAT(phasesOfStep(Manifest(), {}).error().message, HasSubstr("compile the model again"));
  Manifest endless; // each function calls the one before it twice
  for (int64_t number = 0; number < 40; ++number) {
    FunctionPart call;
    call.callee = number - 1;
    endless.functions.push_back({"f", {call, call}});
  }
  endless.functions[0].parts.clear();
  EXPECT_THAT(phasesOfStep(endless, {}).error().message, HasSubstr("more than 1048576 phases"));
}

TEST(StepPhases, TimesOfBarriers) {
  std::vector<PhaseRun> runs(2);
  runs[0].barriers = 2;
  auto times = timesOfPhases(runs, {{1, 0.5}, {2, 0.25}, {4, 0}});
  ASSERT_TRUE(times);
  EXPECT_EQ((*times)[0].work, 3);
  EXPECT_EQ((*times)[0].wait, 0.75);
  EXPECT_EQ((*times)[1].work, 4);
  EXPECT_THAT(timesOfPhases(runs, {{1, 0}}).error().message,
              HasSubstr("came to 1 barriers, its description has 3: compile the model again"));
}

TEST(StepTimes, RecordsOnlyWhileItIsAskedTo) {
  LoadedFixture fixture(2);
  ASSERT_TRUE(fixture.program);
  auto session = Session::create(
      *fixture.device, *fixture.program,
      {.step = {.tokens = 4, .sequences = 1, .logitRows = 1, .contextTokens = 8}, .kvBlocks = 2});
  ASSERT_TRUE(session) << session.error().message;
  KvSequence sequence((*session)->cache(), 8);
  ASSERT_TRUE(sequence.grow(3));
  std::vector<int32_t> tokens = {1, 2, 3};
  (*session)->batch().add(tokens, sequence, StepBatch::Logits::Last);
  StepTimes times(2);
  fixture.device->record(&times);
  for (int step = 0; step < 2; ++step) { // the second forgets the first
    (*session)->run();
    ASSERT_EQ(times.intervals().size(), 2U); // the model's barriers
    double sum = 0;
    for (const StepTimes::Interval &interval : times.intervals()) {
      EXPECT_GE(interval.work, 0);
      EXPECT_GE(interval.wait, 0);
      sum += interval.work + interval.wait;
    }
    EXPECT_LE(sum, times.seconds());
  }
  fixture.device->record(nullptr);
  const double before = times.seconds();
  (*session)->run();
  EXPECT_EQ(times.seconds(), before);
}

} // namespace
