// One step, run several times as it is: the same batch writes the same places of the cache. Times
// are medians of each phase's run; costs follow from the manifest and the shape of the step.
#include "llmir/cli/Explanation.h"

#include "llmir/cli/Prompts.h"
#include "llmir/support/CpuUsage.h"
#include <algorithm>
#include <map>

namespace llmir {

namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

/// Positions that the tokens of a sequence see, all together, and those of them that differ.
struct Seen {
  double all = 0, distinct = 0;
};
Seen seenPositions(int64_t tokens, int64_t last, int64_t window) {
  const int64_t first = last - tokens + 1;
  Seen seen;
  for (int64_t position = first; position <= last; ++position)
    seen.all += double(window ? std::min(window, position + 1) : position + 1);
  seen.distinct = double(window ? std::min(last + 1, window + tokens - 1) : last + 1);
  return seen;
}

int64_t windowOf(const KernelManifest &kernel, int64_t layer) {
  if (kernel.windows.empty())
    return 0;
  return layer >= 0 && size_t(layer) < kernel.windows.size() ? kernel.windows[size_t(layer)]
                                                             : kernel.windows.front();
}

Cost costOf(const KernelManifest &kernel, const StepShape &shape, int64_t layer) {
  const double rows = double(kernel.ofLogitRows ? shape.logitRows : shape.tokens);
  Cost cost;
  const bool looksUp = !kernel.format.empty() && kernel.activations.empty();
  for (const KernelWeight &weight : kernel.weights)
    if (!looksUp && rows > 0)
      cost.weightBytes += double(weight.bytes);
  if (kernel.picked)
    cost.weightBytes *=
        std::min(1.0, rows * double(kernel.picked) / double(kernel.matrices)); // at most
  cost.activationBytes = rows * double(kernel.rowBytes);
  double operations = rows * double(kernel.rowOperations);
  if (kernel.positionBytes) {
    const Seen seen = seenPositions(shape.tokens / std::max<int64_t>(1, shape.sequences),
                                    shape.lastPosition, windowOf(kernel, layer));
    cost.cacheBytes = double(shape.sequences) * seen.distinct * double(kernel.positionBytes);
    operations += double(shape.sequences) * seen.all * double(kernel.positionOperations);
  }
  (kernel.activations == "a8"    ? cost.int8Operations
   : kernel.activations == "a16" ? cost.int16Operations
                                 : cost.f32Operations) = operations;
  return cost;
}

/// The functions of a kernel that run in this step: of attention either the one for whole contexts
/// or the two for splits.
std::vector<std::string> namesIn(const KernelManifest &kernel, const PhaseRun &run) {
  if (!kernel.positionBytes || kernel.names.size() < 3)
    return kernel.names;
  return run.isSplit ? std::vector(kernel.names.begin() + 1, kernel.names.end())
                     : std::vector(kernel.names.begin(), kernel.names.begin() + 1);
}

/// Measures the step that is in the session's batch.
Status measure(LoadedProgram &loaded, Session &session, Explanation &explanation,
               const std::vector<PhaseRun> &runs) {
  StepTimes times(loaded.device->threads());
  std::vector<std::vector<double>> work(runs.size()), wait(runs.size());
  std::vector<double> steps;
  loaded.device->record(&times);
  for (int32_t i = -1; i < explanation.request.repetitions; ++i) {
    session.run();
    if (i < 0)
      continue; // warms caches up
    auto intervals = timesOfPhases(runs, times.intervals());
    if (!intervals)
      return forward(intervals);
    for (size_t run = 0; run < runs.size(); ++run) {
      work[run].push_back((*intervals)[run].work);
      wait[run].push_back((*intervals)[run].wait);
    }
    steps.push_back(times.seconds());
  }
  loaded.device->record(nullptr);
  explanation.stepSeconds = median(steps);

  std::map<std::pair<size_t, size_t>, size_t> places; // of a phase in the list
  for (size_t i = 0; i < runs.size(); ++i) {
    const PhaseRun &run = runs[i];
    const FunctionManifest &function = explanation.manifest.functions[run.function];
    const PhaseManifest &phase = function.parts[run.part].phase;
    auto [place, isNew] = places.insert({{run.function, run.part}, explanation.phases.size()});
    if (isNew) {
      const auto number =
          std::count_if(function.parts.begin(), function.parts.begin() + int64_t(run.part),
                        [](const FunctionPart &part) { return part.callee < 0; });
      explanation.phases.push_back({.name = fmt::format("{}.{}", function.name, number),
                                    .phase = &phase,
                                    .run = run,
                                    .count = 0,
                                    .kernels = {},
                                    .cost = {}});
      for (const KernelManifest &kernel : phase.kernels)
        explanation.phases.back().kernels.push_back(
            {&kernel, namesIn(kernel, run), {}, std::string()});
    }
    PhaseExplanation &all = explanation.phases[place->second];
    Cost cost;
    for (KernelExplanation &kernel : all.kernels) {
      const Cost own = costOf(*kernel.kernel, explanation.shape, run.layer);
      kernel.cost += own;
      cost += own;
    }
    all.cost += cost;
    all.predicted += cost.seconds(explanation.roofs);
    all.measured += median(work[i]);
    all.waited += median(wait[i]);
    ++all.count;
    explanation.barriers += run.barriers;
  }
  for (PhaseExplanation &phase : explanation.phases)
    for (size_t i = 0; i < phase.kernels.size(); ++i) {
      KernelExplanation &kernel = phase.kernels[i];
      kernel.why = reasonOf(*kernel.kernel, int64_t(i) < phase.phase->prologue, phase,
                            explanation.shape, explanation.roofs, kernel.cost);
    }
  return {};
}

} // namespace

Cost &Cost::operator+=(const Cost &other) {
  weightBytes += other.weightBytes;
  cacheBytes += other.cacheBytes;
  activationBytes += other.activationBytes;
  f32Operations += other.f32Operations;
  int8Operations += other.int8Operations;
  int16Operations += other.int16Operations;
  return *this;
}

double Explanation::predicted() const {
  double sum = 0;
  for (const PhaseExplanation &phase : phases)
    sum += phase.predicted;
  return sum;
}
double Explanation::measured() const {
  double sum = 0;
  for (const PhaseExplanation &phase : phases)
    sum += phase.measured;
  return sum;
}
double Explanation::waited() const {
  double sum = 0;
  for (const PhaseExplanation &phase : phases)
    sum += phase.waited;
  return sum;
}

Expected<std::unique_ptr<Explanation>> explainModel(LoadedProgram &loaded,
                                                    const ExplanationRequest &request) {
  const Manifest &manifest = loaded.program->manifest();
  const int64_t context = request.prefill ? request.prefill : int64_t(request.behind) + 1;
  auto session =
      Session::create(*loaded.device, *loaded.program,
                      engineSession(manifest, context, request.batch,
                                    int32_t(std::min<int64_t>(request.prefillChunk, context))));
  if (!session)
    return forward(session);
  auto explanation = std::make_unique<Explanation>();
  explanation->manifest = manifest;
  explanation->request = request;
  explanation->shape = {.tokens = request.tokens(),
                        .sequences = request.batch,
                        .logitRows = request.batch,
                        .lastPosition = context - 1,
                        .workers = loaded.device->threads(),
                        .tokenCapacity = tokenCapacity((*session)->limits())};
  auto runs = phasesOfStep(explanation->manifest, explanation->shape);
  if (!runs)
    return forward(runs);
  const auto before = cpuTimes();
  auto roofs = measureRoofs(*loaded.device, manifest,
                            request.roofBytes ? request.roofBytes : roofBufferBytes());
  if (!roofs)
    return forward(roofs);
  explanation->roofs = *roofs;

  const std::vector<int32_t> tokens = someTokens(context, manifest.model.vocabulary);
  const auto prompt = std::span(tokens).first(size_t(request.prefill ? 0 : request.behind));
  std::vector<KvSequence> sequences =
      sequencesBehind(**session, prompt, request.batch, request.prefill ? request.prefill : 1,
                      request.prefillChunk);
  StepBatch &batch = (*session)->batch();
  batch.clear();
  const int32_t own = request.prefill ? request.prefill : 1;
  for (size_t i = 0; i < sequences.size(); ++i) {
    sequences[i].grow(own);
    const size_t from = request.prefill ? 0 : i % tokens.size(); // others may take other experts
    batch.add(std::span(tokens).subspan(from, size_t(own)), sequences[i], StepBatch::Logits::Last);
  }
  if (Status status = measure(loaded, **session, *explanation, *runs); !status)
    return forward(status);
  if (const auto after = cpuTimes(); before && after)
    explanation->foreignCpu = foreignShare(*before, *after);
  return explanation;
}

} // namespace llmir
