// `llmir version`: what a report about a fault should begin with.
#include "llmir/abi/llmir_abi.h"
#include "llmir/cli/Commands.h"
#include "llmir/driver/CompilerProcess.h"
#include "llmir/support/CpuInfo.h"
#include <cstdio>

namespace llmir {

namespace {

class VersionCommand : public Command {
  void declare(CommandSpec &spec) override {
    spec.name = "version";
    spec.summary = "Print the versions of program and compiler, and the machine";
    spec.examples = {"llmir version"};
  }

  Status run(const CommandContext &context) override {
    printTo(stdout, "{}\nABI of compiled models: {}\nCPU: {}, {} usable\n", context.program.version,
            LLMIR_ABI_VERSION, cpuModelName(), usableCpus());
    fflush(stdout);
    auto compiler = findCompiler();
    if (compiler)
      return runCompiler(*compiler, {"--version"});
    printTo(stdout, "no compiler: {}\n", compiler.error().message);
    return {};
  }
};

} // namespace

std::unique_ptr<Command> makeVersionCommand() { return std::make_unique<VersionCommand>(); }

} // namespace llmir
