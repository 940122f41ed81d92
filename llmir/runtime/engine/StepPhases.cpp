// Walks the functions as the step calls them. The conditions are those that LowerPhases.cpp emits.
#include "llmir/runtime/engine/StepPhases.h"

#include <algorithm>

namespace llmir {

namespace {

constexpr int64_t mostParts = 1 << 20;

class Walk {
public:
  Walk(const Manifest &manifest, const StepShape &shape) : manifest(manifest), shape(shape) {}

  std::vector<PhaseRun> runs;

  /// False where the step is too long.
  bool function(size_t number, int64_t layer) {
    const FunctionManifest &function = manifest.functions[number];
    for (size_t i = 0; i < function.parts.size(); ++i) {
      const FunctionPart &part = function.parts[i];
      if (++visited > mostParts)
        return false;
      if (part.callee < 0)
        runs.push_back(runOf(part.phase, {.function = number, .part = i, .layer = layer}));
      else if (!this->function(size_t(part.callee), part.layer < 0 ? layer : part.layer))
        return false;
    }
    return true;
  }

private:
  bool mayReplicate(const PhaseManifest &phase, int64_t rows) const {
    return rows <= phase.replicatedRows && rows * shape.workers <= shape.tokenCapacity;
  }

  PhaseRun runOf(const PhaseManifest &phase, PhaseRun run) const {
    if (phase.attention.kvHeads)
      return attention(phase, run);
    if (!phase.prologue)
      return run;
    run.isReplicated = std::all_of(
        phase.kernels.begin(), phase.kernels.begin() + phase.prologue, [&](const auto &kernel) {
          return mayReplicate(phase, kernel.ofLogitRows ? shape.logitRows : shape.tokens);
        });
    run.barriers += run.isReplicated ? 0 : 1;
    return run;
  }

  PhaseRun attention(const PhaseManifest &phase, PhaseRun run) const {
    const AttentionSplitting &rule = phase.attention;
    const bool isDecode = shape.tokens <= shape.sequences && shape.workers <= shape.tokenCapacity;
    const bool isFew =
        isDecode && shape.tokens * rule.kvHeads < shape.workers * rule.itemsPerWorker;
    const int64_t splits =
        isFew && rule.splitPositions ? shape.lastPosition / rule.splitPositions + 1 : 1;
    run.isReplicated = isDecode && phase.prologue;
    run.isSplit = splits > 1 && shape.tokens * splits <= shape.tokenCapacity;
    run.barriers += run.isSplit || (!isDecode && phase.prologue) ? 1 : 0;
    return run;
  }

  const Manifest &manifest;
  const StepShape &shape;
  int64_t visited = 0;
};

} // namespace

Expected<std::vector<PhaseRun>> phasesOfStep(const Manifest &manifest, const StepShape &shape) {
  if (manifest.functions.empty())
    return fail("the artifact does not say what its steps consist of: it was made by an older "
                "compiler; compile the model again");
  Walk walk(manifest, shape);
  if (!walk.function(manifest.functions.size() - 1, -1))
    return fail("a step has more than {} phases", mostParts);
  return std::move(walk.runs);
}

Expected<std::vector<StepTimes::Interval>>
timesOfPhases(const std::vector<PhaseRun> &runs, const std::vector<StepTimes::Interval> &times) {
  size_t expected = 0;
  for (const PhaseRun &run : runs)
    expected += size_t(run.barriers);
  if (expected != times.size())
    return fail("a step came to {} barriers, its description has {}: compile the model again",
                times.size(), expected);
  std::vector<StepTimes::Interval> all;
  auto next = times.begin();
  for (const PhaseRun &run : runs) {
    StepTimes::Interval sum;
    for (int i = 0; i < run.barriers; ++i, ++next) {
      sum.work += next->work;
      sum.wait += next->wait;
    }
    all.push_back(sum);
  }
  return all;
}

} // namespace llmir
