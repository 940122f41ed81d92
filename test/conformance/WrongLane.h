// Faults for the suite to find: a pass that makes one lane of one vector in the kernels wrong.
#pragma once

#include <string>

namespace llmir::conformance {

/// Registers the pass for CompileOptions.
void registerWrongLane();

/// What PipelineOptions::extraPasses take: of the vectors that kernels compute, the one that
/// `number` falls on gets a wrong lane, another one for each number.
std::string wrongLane(int64_t number);

/// The op that was made wrong last: "lane 3 of math.fma in @linear.q4_0".
std::string lastWrongLane();

} // namespace llmir::conformance
