// Declares the options that look into the compiler, and writes them out again.
#include "llmir/support/PipelineOptions.h"

namespace llmir {

std::vector<std::string> PipelineOptions::arguments(bool all) const {
  std::vector<std::string> words;
  auto add = [&](const char *flag, const std::string &value) {
    if (!value.empty())
      words.push_back(fmt::format("{}={}", flag, value));
  };
  for (const std::string &pass : disabledPasses)
    add("--disable-pass", pass);
  for (const std::string &file : passPlugins)
    add("--pass-plugin", file);
  for (const std::string &extra : extraPasses)
    add("--pass-pipeline-after", extra);
  if (!all)
    return words;
  add("--stop-after", stopAfter);
  add("--dump-dir", dumpDir);
  if (timing)
    words.emplace_back("--timing");
  if (verify)
    words.insert(words.end(), {"--verify", fmt::format("--verify-seed={}", verifySeed)});
  return words;
}

void addPipeline(OptionTable &table, PipelineOptions &options) {
  table.group("Looking into the compiler");
  table.add("stop-after", &options.stopAfter, "Print the IR behind PHASE and do nothing more")
      .placeholder("PHASE")
      .commandLineOnly();
  table.add("dump-dir", &options.dumpDir, "Write the IR behind every phase and pass to files here")
      .placeholder("FOLDER");
  table.add("disable-pass", &options.disabledPasses, "Leave out an optional pass")
      .placeholder("PASS")
      .repeated();
  table.add("pass-plugin", &options.passPlugins, "Load passes from an MLIR pass plugin")
      .placeholder("FILE")
      .repeated();
  table.add("pass-pipeline-after", &options.extraPasses, "Run more passes behind PHASE")
      .placeholder("PHASE:PIPELINE")
      .repeated();
  table.add("timing", &options.timing, "Print the time of each phase and pass");
  table.add("verify", &options.verify,
            "Run the IR before and behind every pass on small inputs: the bits must be the same");
  table.add("verify-seed", &options.verifySeed, "Other inputs").needs("verify");
}

} // namespace llmir
