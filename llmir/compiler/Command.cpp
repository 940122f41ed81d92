// llmirc's commands. It is started by the driver; people may use it too.
#include "llmir/compiler/Command.h"

#include "llmir/compiler/Compile.h"
#include "mlir/IR/AsmState.h"
#include "llvm/Support/raw_ostream.h"
#include <CLI/CLI.hpp>

namespace llmir {

static int report(const Status &status) {
  if (status)
    return 0;
  llvm::errs() << "error: " << status.error().message << "\n";
  return 1;
}

static Status printImported(const std::string &model, const CompileOptions &options) {
  mlir::MLIRContext context(compilerDialects(), mlir::MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  auto module = importModel(model, options, context);
  if (!module)
    return forward(module);
  (*module)->print(llvm::outs());
  return {};
}

int compilerMain(int argc, char **argv) {
  CLI::App app("Compiles a model file into an LLMIR artifact.", "llmirc");
  app.set_version_flag("--version", LLMIR_VERSION);
  app.require_subcommand(1);
  CompileOptions options;
  options.report = [](const std::string &line) { llvm::errs() << line << "\n"; };
  std::string model, output;

  auto *compile = app.add_subcommand("compile", "Compile MODEL into the folder given by -o");
  auto *import = app.add_subcommand("import", "Print MODEL as llm IR");
  for (auto *command : {compile, import}) {
    command->add_option("MODEL", model, "GGUF file")->required();
    command->add_option("--kv", options.kv, "element type of the KV cache: f16 or f32")
        ->capture_default_str();
  }
  compile->add_option("-o,--output", output, "existing folder to write to")->required();
  compile->add_option("--activations", options.activations, "int8 or int16")->capture_default_str();
  compile->add_option("--target", options.target, "host, or the name of a CPU level")
      ->capture_default_str();
  compile->add_option("--assembly", options.assemblyFile, "write the assembly to this file too");
  compile->add_flag("--timing", options.timing, "print the time of each phase");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    if (error.get_exit_code() == 0)
      return app.exit(error);
    llvm::errs() << "error: " << error.what() << "; see llmirc --help\n";
    return 1;
  }
  return report(compile->parsed() ? compileModel(model, output, options)
                                  : printImported(model, options));
}

} // namespace llmir
