// What runs compiled steps of a target: this machine, or an emulator of another.
#pragma once

#include "Case.h"

#include "llmir/codegen/Target.h"
#include "test/models/CompiledModel.h"

namespace llmir::conformance {

struct StepResults {
  /// [number of workers][step][R * vocabulary]
  std::vector<std::vector<std::vector<float>>> logits;
  std::vector<double> nanoseconds; ///< [step], by the last number of workers; if asked for
};

class Machine {
public:
  /// What runs code of `target`; whyNot() says if nothing does.
  static Machine of(const Target &target);

  /// Empty if code can be run.
  const std::string &whyNot() const { return reason; }
  /// Whether the times of code mean something: it runs, and not in an emulator.
  bool canTime() const { return reason.empty() && command.size() == 1; }

  /// Runs the batches, one after the other, by each number of workers from an empty cache of
  /// `blocks` blocks. Errors: the code crashed, or took too long. `folder` is for the files.
  Expected<StepResults> run(const std::string &codeFile, const test::CompiledModel &model,
                            const std::vector<reference::Batch> &batches, int64_t blocks,
                            int64_t repeats, const std::string &folder) const;

  /// The numbers of workers; with `repeats`, what is timed is one.
  static std::vector<int64_t> workerCounts(int64_t repeats);

private:
  std::vector<std::string> command; ///< behind which the runner's arguments stand
  std::string reason;
};

} // namespace llmir::conformance
