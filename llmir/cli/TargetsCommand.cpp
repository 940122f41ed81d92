// `llmir targets`: the CPUs that can be compiled for, from the compiler that knows them.
#include "llmir/cli/Commands.h"
#include "llmir/driver/CompilerProcess.h"

namespace llmir {

namespace {

class TargetsCommand : public Command {
  void declare(CommandSpec &spec) override {
    spec.name = "targets";
    spec.summary = "List the CPUs that can be compiled for";
    spec.details = "Name, instructions the kernels are written in, and the CPU flags that the code "
                   "needs. \"host\" marks what this machine gets.";
    spec.examples = {"llmir targets"};
  }

  Status run(const CommandContext &) override {
    auto compiler = findCompiler();
    if (!compiler)
      return forward(compiler);
    return runCompiler(*compiler, {"targets"});
  }
};

} // namespace

std::unique_ptr<Command> makeTargetsCommand() { return std::make_unique<TargetsCommand>(); }

} // namespace llmir
