// What `llmir explain` finds out about one step of a model: which kernels run in each phase and
// why, what they move and compute, and how long that takes beside what the machine could do. Text,
// JSON and HTML are made of it elsewhere (ExplanationText.h, ExplanationJson.h, ExplanationHtml.h).
#pragma once

#include "llmir/driver/Model.h"
#include "llmir/runtime/device/cpu/Roofs.h"
#include "llmir/runtime/engine/StepPhases.h"

namespace llmir {

struct ExplanationRequest {
  int32_t prefill = 0; ///< tokens of one prompt in the step; 0: decoding
  int32_t batch = 1;   ///< sequences that decode a token each,
  int32_t behind = 0;  ///< behind so many tokens
  int32_t prefillChunk = 512;
  int32_t repetitions = 10;
  int64_t roofBytes = 0; ///< of the buffer that memory is measured with; 0: as many as it takes

  int64_t tokens() const { return prefill ? prefill : batch; }
};

/// What kernels move and compute, every byte counted once.
struct Cost {
  double weightBytes = 0, cacheBytes = 0, activationBytes = 0; ///< read; read; read and written
  double f32Operations = 0, int8Operations = 0, int16Operations = 0;

  double bytes() const { return weightBytes + cacheBytes + activationBytes; }
  double operations() const { return f32Operations + int8Operations + int16Operations; }
  double memorySeconds(const Roofs &roofs) const { return bytes() / roofs.memoryPerSecond; }
  double arithmeticSeconds(const Roofs &roofs) const {
    return f32Operations / roofs.f32.perSecond + int8Operations / roofs.int8.perSecond +
           int16Operations / roofs.int16.perSecond;
  }
  bool isMemoryBound(const Roofs &roofs) const {
    return memorySeconds(roofs) >= arithmeticSeconds(roofs);
  }
  /// What the lower roof allows.
  double seconds(const Roofs &roofs) const {
    return std::max(memorySeconds(roofs), arithmeticSeconds(roofs));
  }
  Cost &operator+=(const Cost &other);
};

struct KernelExplanation {
  const KernelManifest *kernel = nullptr;
  std::vector<std::string> names; ///< of the functions that run in this step
  Cost cost;                      ///< of all runs
  std::string why;
};

/// All runs of a phase in a step.
struct PhaseExplanation {
  std::string name; ///< "layer.2"
  const PhaseManifest *phase = nullptr;
  PhaseRun run; ///< the first one; the others differ in their layer
  int64_t count = 0;
  std::vector<KernelExplanation> kernels;
  Cost cost;
  double predicted = 0; ///< seconds, the sum over the runs, as the next two
  double measured = 0;
  double waited = 0; ///< behind the last worker at its barriers
};

struct Explanation {
  Manifest manifest; ///< kernels and phases point into it
  ExplanationRequest request;
  StepShape shape;
  Roofs roofs;
  std::vector<PhaseExplanation> phases; ///< in the order of their first runs
  int64_t barriers = 0;
  double stepSeconds = 0; ///< median of whole steps
  double foreignCpu = 0;  ///< share of the CPUs' time that other processes took meanwhile
  double predicted() const;
  double measured() const;
  double waited() const;
};

/// Runs and measures the step. Errors: sizes beyond the model's context, an artifact without the
/// description, no memory.
Expected<std::unique_ptr<Explanation>> explainModel(LoadedProgram &loaded,
                                                    const ExplanationRequest &request);

/// Why a kernel is the one that runs, from facts of the step.
std::string reasonOf(const KernelManifest &kernel, bool isPrologue, const PhaseExplanation &phase,
                     const StepShape &shape, const Roofs &roofs, const Cost &cost);

} // namespace llmir
