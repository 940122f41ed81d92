// The phases that a step of a given shape runs through, in order, and how many barriers each has:
// by this the times of barriers become times of phases. The rules stand in the manifest, as the
// compiler wrote them; this is their one reader.
#pragma once

#include "llmir/abi/Manifest.h"
#include "llmir/runtime/device/cpu/StepTimes.h"

namespace llmir {

/// What compiled code decides by.
struct StepShape {
  int64_t tokens = 0, sequences = 0, logitRows = 0;
  int64_t lastPosition = 0; ///< the largest of all tokens
  int64_t workers = 0;
  int64_t tokenCapacity = 0;
};

/// One run of a phase.
struct PhaseRun {
  size_t function = 0, part = 0; ///< manifest.functions[function].parts[part]
  int64_t layer = -1;            ///< -1: of none
  int barriers = 1;
  bool isReplicated = false; ///< each worker computes the prologue it needs for itself
  bool isSplit = false;      ///< workers share contexts in splits
};

/// Errors: a manifest without the description (of an older compiler), or of a step of millions of
/// phases.
Expected<std::vector<PhaseRun>> phasesOfStep(const Manifest &manifest, const StepShape &shape);

/// The intervals of each run's barriers, added up. Fails where there are more or fewer intervals
/// than the runs have barriers: the description is not of this code.
Expected<std::vector<StepTimes::Interval>>
timesOfPhases(const std::vector<PhaseRun> &runs, const std::vector<StepTimes::Interval> &times);

} // namespace llmir
