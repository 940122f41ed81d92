// From a manifest to the memory of a context and a batch, whether this machine has it, and what
// would fit instead.
#include "llmir/cli/Inspection.h"

#include "llmir/support/CpuInfo.h"
#include <algorithm>

namespace llmir {

namespace {

/// What the process takes besides code, tokenizer and what the session accounts for.
int64_t programBytes(const Manifest &manifest, const InspectionRequest &request, int64_t measured) {
  constexpr int64_t threadBytes = 64 << 10; // stack, and the allocator's share
  constexpr int64_t bytesPerToken = 8 + 4;  // the sampler's candidates and counts
  const int64_t threads = request.threads ? request.threads : usableCpus();
  return measured + threads * threadBytes + manifest.model.vocabulary * bytesPerToken;
}

/// Answers for one model, machine and set of options; context and batch vary.
struct Planner {
  const Manifest &manifest;
  int32_t prefillChunk;
  int64_t program, available;

  int32_t chunkOf(int64_t context) const {
    return int32_t(std::min<int64_t>(prefillChunk, context)); // as the commands do
  }
  Expected<MemoryUse> use(int64_t context, int32_t batch) const {
    return planMemory(manifest, engineSession(manifest, context, batch, chunkOf(context)));
  }
  bool fits(int64_t context, int32_t batch) const {
    auto planned = use(context, batch);
    return planned && planned->total() + program <= available;
  }
  /// The largest size in [0, most] that `fitsAt`; it does up to some size and not beyond.
  template <typename Predicate> static int64_t largest(int64_t most, Predicate fitsAt) {
    int64_t low = 0, high = most;
    while (low < high) {
      const int64_t middle = low + (high - low + 1) / 2;
      if (fitsAt(middle))
        low = middle;
      else
        high = middle - 1;
    }
    return low;
  }
};

std::string wayOutOf(const MemoryPlan &plan, const Manifest &manifest) {
  std::string options;
  auto offer = [&](const std::string &option) {
    options += (options.empty() ? "use " : " or ") + option;
  };
  if (plan.largestContext > 0)
    offer(fmt::format("--context {}", plan.largestContext));
  if (plan.largestBatch > 0)
    offer(fmt::format("--batch {}", plan.largestBatch));
  if (!options.empty())
    return options + (manifest.kv.elementType == "f32" ? "; --kv f16 halves the cache" : "");
  if (plan.batch > 1)
    return "lower both --context and --batch";
  return "the weights are too large: take a file of the model with fewer bits per weight";
}

} // namespace

Expected<MemoryPlan> planInspection(const Manifest &manifest, const InspectionRequest &request,
                                    const MemoryInfo &machine, int64_t program) {
  const int64_t most = manifest.model.contextLength;
  if (request.context > most)
    return fail("a context of {} tokens is more than the model's {}: give at most that with "
                "--context",
                request.context, most);
  MemoryPlan plan;
  plan.context = request.context ? request.context : most;
  plan.batch = request.batch;
  plan.program = programBytes(manifest, request, program);
  const Planner planner{manifest, request.prefillChunk, plan.program, machine.available};
  plan.prefillChunk = planner.chunkOf(plan.context);
  auto use = planner.use(plan.context, plan.batch);
  if (!use)
    return forward(use, fmt::format("--context {} --batch {}", plan.context, plan.batch));
  plan.use = *use;
  const int64_t block = manifest.kv.blockTokens;
  plan.kvPerToken =
      (manifest.kv.kBlockBytes + manifest.kv.vBlockBytes) * manifest.kv.layers / block;

  plan.largestContext =
      Planner::largest(most, [&](int64_t context) { return planner.fits(context, plan.batch); });
  plan.largestBatch = int32_t(Planner::largest(maxInspectedBatch, [&](int64_t batch) {
    return planner.fits(plan.context, int32_t(batch));
  }));
  const int64_t physical = machine.physical ? machine.physical : machine.available;
  const int64_t reachable = std::min(physical, machine.limit.value_or(physical));
  plan.fit = plan.total() <= machine.available ? Fit::Fits
             : plan.total() <= reachable       ? Fit::Displaces
                                               : Fit::No;
  if (plan.fit != Fit::Fits)
    plan.wayOut = wayOutOf(plan, manifest);
  return plan;
}

} // namespace llmir
