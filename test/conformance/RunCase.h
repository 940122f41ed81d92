// One case on one target: compiled, run where that is possible, compared with the interpreter.
#pragma once

#include "Machine.h"

#include <optional>

namespace llmir::conformance {

struct Verdict {
  enum { Ok, Fail, Skip } kind = Ok;
  std::string text; ///< the first difference; why it was skipped; what was timed
};

struct RunOptions {
  std::string target;                ///< see Target::named
  std::string folder;                ///< for files
  int64_t repeats = 0;               ///< of steps, for their times; 0: none are taken
  std::optional<int64_t> fault = {}; ///< of wrongLane: the case must fail
};

Verdict runCase(const Case &c, const Target &target, const Machine &machine,
                const RunOptions &options);

} // namespace llmir::conformance
