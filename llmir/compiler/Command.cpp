// llmirc's commands. It is started by the driver; people may use it too.
#include "llmir/compiler/Command.h"

#include "llmir/abi/Manifest.h"
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

static Status printPlan(const std::string &model, const CompileOptions &options) {
  auto manifest = planModel(model, options);
  if (!manifest)
    return forward(manifest);
  llvm::outs() << manifestToJson(*manifest);
  return {};
}

/// What looks into the compiler. Phases and passes are named as in Phases.cpp.
static void addPipelineOptions(CLI::App &command, CompileOptions &options) {
  auto *stop = command.add_option("--stop-after", options.stopAfter,
                                  "print the IR behind PHASE and write no artifact");
  stop->excludes(command.get_option("--output"));
  command.add_option("--dump-dir", options.dumpDir,
                     "write the IR behind every phase and pass to numbered files in this folder");
  command
      .add_option("--disable-pass", options.disabledPasses,
                  "leave out an optional pass; may be repeated")
      ->take_all();
  command
      .add_option("--pass-plugin", options.passPlugins,
                  "load passes from an MLIR pass plugin; may be repeated")
      ->take_all();
  command
      .add_option("--pass-pipeline-after", options.extraPasses,
                  "PHASE:PIPELINE: run more passes behind PHASE; may be repeated")
      ->take_all();
  command.add_flag("--timing", options.timing, "print the time of each phase and pass");
}

int compilerMain(int argc, char **argv) {
  CLI::App app("Compiles a model file into an LLMIR artifact.", "llmirc");
  app.set_version_flag("--version", LLMIR_VERSION);
  app.require_subcommand(1);
  CompileOptions options;
  options.stopped = [](mlir::ModuleOp module) { module.print(llvm::outs()); };
  options.report = [](const std::string &line) { llvm::errs() << line << "\n"; };
  std::string model, output;

  auto *compile = app.add_subcommand("compile", "Compile MODEL into the folder given by -o");
  auto *import = app.add_subcommand("import", "Print MODEL as llm IR");
  auto *plan = app.add_subcommand("plan", "Print the manifest that compiling MODEL would write");
  for (auto *command : {compile, import, plan}) {
    command->add_option("MODEL", model, "GGUF file")->required();
    command->add_option("--kv", options.kv, "element type of the KV cache: f16 or f32")
        ->capture_default_str();
  }
  compile->add_option("-o,--output", output,
                      "folder to write to, needed unless --stop-after is given");
  for (auto *command : {compile, plan}) {
    command->add_option("--activations", options.activations, "int8 or int16")
        ->capture_default_str();
    command->add_option("--target", options.target, "host, or the name of a CPU level")
        ->capture_default_str();
  }
  compile->add_option("--assembly", options.assemblyFile, "write the assembly to this file too");
  addPipelineOptions(*compile, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    if (error.get_exit_code() == 0)
      return app.exit(error);
    llvm::errs() << "error: " << error.what() << "; see llmirc --help\n";
    return 1;
  }
  if (compile->parsed() && output.empty() && options.stopAfter.empty()) {
    llvm::errs() << "error: compile needs -o FOLDER, or --stop-after=PHASE to print IR\n";
    return 1;
  }
  if (plan->parsed())
    return report(printPlan(model, options));
  return report(compile->parsed() ? compileModel(model, output, options)
                                  : printImported(model, options));
}

} // namespace llmir
