// Options that look into the compiler: which passes run and what is shown of them. Every command
// that compiles takes them, llmir's as well as llmirc's, and hands them on unchanged.
#pragma once

#include "llmir/support/OptionTable.h"

namespace llmir {

/// Phases and passes are named as in compiler/Phases.cpp.
struct PipelineOptions {
  std::string stopAfter = {}; ///< run up to this phase and print the IR; no artifact
  std::string dumpDir = {};   ///< write the IR behind every phase and pass into this folder
  std::vector<std::string> disabledPasses = {}; ///< optional phases to leave out
  std::vector<std::string> passPlugins = {}; ///< files to load: see mlir/Tools/Plugins/PassPlugin.h
  std::vector<std::string> extraPasses = {}; ///< "PHASE:PIPELINE": run behind PHASE on the module
  bool timing = false;                       ///< print the time of each phase and pass to stderr
  bool verify = false;                       ///< run the IR before and behind every pass
  uint64_t verifySeed = 1;                   ///< of the inputs that it is run on

  /// Whether a compilation is wanted for what it shows, and not only for its result.
  bool shows() const { return timing || verify || !dumpDir.empty() || !stopAfter.empty(); }
  /// As arguments of a command line: those that change what is compiled; with `all`, the others
  /// too.
  std::vector<std::string> arguments(bool all) const;
};

void addPipeline(OptionTable &table, PipelineOptions &options);

} // namespace llmir
