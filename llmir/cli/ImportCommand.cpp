// `llmir import`: a model file as llm IR, printed by the compiler process.
#include "llmir/cli/Commands.h"
#include "llmir/driver/CompilerProcess.h"

namespace llmir {

namespace {

void declare(CLI::App &command, Options &options) {
  addModel(command, options);
  command.footer("Example:\n  llmir import model.gguf | less");
}

Status import(const Options &options) {
  auto compiler = findCompiler();
  if (!compiler)
    return forward(compiler);
  return runCompiler(*compiler, {"import", options.model});
}

} // namespace

const Command importCommand = {"import", "Print a model as llm IR", declare, import};

} // namespace llmir
