// llmirc's commands. It is started by the driver; people may use it too.
#include "llmir/compiler/Command.h"

#include "llmir/abi/Manifest.h"
#include "llmir/codegen/Target.h"
#include "llmir/codegen/TargetNames.h"
#include "llmir/compiler/Compile.h"
#include "llmir/support/CpuInfo.h"
#include "llmir/support/HelpText.h"
#include "llmir/support/StandardStreams.h"
#include "mlir/IR/AsmState.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/raw_ostream.h"
#include <fmt/ranges.h>
#include <unistd.h>

namespace llmir {

static Status printImported(const std::string &model, const CompileOptions &options) {
  mlir::MLIRContext context(compilerDialects(), mlir::MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  auto module = importModel(model, options, context);
  if (!module)
    return forward(module);
  (*module)->print(llvm::outs());
  return {};
}

/// `output` may be empty: stdout.
static Status writePlan(const std::string &model, const std::string &output,
                        const CompileOptions &options) {
  auto manifest = planModel(model, options);
  if (!manifest)
    return forward(manifest);
  std::error_code code;
  llvm::raw_fd_ostream file(output.empty() ? "-" : output, code);
  file << manifestToJson(*manifest);
  file.flush();
  if (!code)
    code = file.error();
  if (code) {
    file.clear_error();
    return fail("{}: cannot be written: {}", output.empty() ? "stdout" : output, code.message());
  }
  return {};
}

static const char *instructionsOf(CpuIsa isa) {
  switch (isa) {
  case CpuIsa::Avx512Vnni:
    return "AVX-512, VNNI";
  case CpuIsa::Avx2:
    return "AVX2, FMA, F16C";
  case CpuIsa::NeonDot:
    return "NEON, dot product";
  case CpuIsa::Portable:
    return "portable";
  }
  return "";
}

static Status printTargets() {
  auto hostName = hostTargetName();
  auto host = Target::host();
  if (!hostName || !host)
    return hostName ? forward(host) : forward(hostName);
  for (const std::string &name : targetNames()) {
    auto target = Target::named(name);
    if (!target)
      return forward(target);
    std::string needs = fmt::format("{}", fmt::join(target->cpuFlags, " "));
    llvm::outs() << fmt::format("{:<18}{:<6}{:<20}{}\n", name, name == *hostName ? "host" : "",
                                instructionsOf(target->isa), needs.empty() ? "" : "needs " + needs);
  }
  llvm::outs() << fmt::format("This machine: {} (LLVM: {})\n", cpuModelName(), host->tuneCpu);
  return {};
}

/// Everything the options write to.
struct CompilerArguments {
  CompileOptions options;
  std::string model, output;
};

static ProgramSpec declareCompiler(CompilerArguments &arguments) {
  CompileOptions &options = arguments.options;
  ProgramSpec program;
  program.name = "llmirc";
  program.summary = "Compiles model files for llmir, which starts it.";
  program.version = "llmirc " LLMIR_VERSION ", LLVM " LLVM_VERSION_STRING;
  auto command = [&](const char *name, const char *summary) -> OptionTable & {
    CommandSpec &spec = program.commands.emplace_back();
    spec.name = name;
    spec.summary = summary;
    spec.options.commandLineOnly();
    return spec.options;
  };
  auto addModel = [&](OptionTable &table) {
    table.positional("MODEL", &arguments.model,
                     "Model: a GGUF file, a Hugging Face directory or a graph of torch.export");
    table.add("kv", &options.kv, "Numbers of the KV cache").choices({"f16", "f32"});
  };
  auto addTarget = [&](OptionTable &table) {
    table.add("activations", &options.activations, "Precision of quantised activations")
        .choices({"int8", "int16"});
    table.add("quantize", &options.quantize, "What float weights become")
        .choices({"none", "int8", "int4"});
    table.add("target", &options.target, "CPU level; see llmirc targets").placeholder("CPU");
  };
  OptionTable &compile = command("compile", "Compile a model into the place given by -o");
  addModel(compile);
  addTarget(compile);
  compile.add("output", &arguments.output, "Artifact to write, unless --stop-after is given")
      .letter('o')
      .placeholder("FILE")
      .excludes("stop-after");
  compile.add("cache-key", &options.cacheKey, "What the artifact says of a cache's wish")
      .placeholder("KEY");
  compile.add("assembly", &options.assemblyFile, "Write the assembly here too").placeholder("FILE");
  addPipeline(compile, options.pipeline);
  OptionTable &import = command("import", "Print a model as llm IR");
  addModel(import);
  import.add("stop-after", &options.pipeline.stopAfter, "Print the IR behind PHASE instead")
      .placeholder("PHASE");
  OptionTable &plan = command("plan", "Print the manifest that compiling a model would write");
  addModel(plan);
  addTarget(plan);
  plan.add("output", &arguments.output, "What to write instead of stdout")
      .letter('o')
      .placeholder("FILE");
  command("targets", "List the CPUs that can be compiled for");
  return program;
}

static Status runCompilerCommand(const std::string &name, const CompilerArguments &arguments) {
  if (name == "targets")
    return printTargets();
  if (name == "plan")
    return writePlan(arguments.model, arguments.output, arguments.options);
  if (name == "import" && arguments.options.pipeline.stopAfter.empty())
    return printImported(arguments.model, arguments.options);
  if (arguments.output.empty() && arguments.options.pipeline.stopAfter.empty())
    return fail("compile needs -o FILE, or --stop-after PHASE to print IR");
  return compileModel(arguments.model, arguments.output, arguments.options);
}

/// Warnings and remarks as they are; everything else is progress, which the driver shows on a
/// terminal only.
static void report(const std::string &line) {
  const llvm::StringRef text = line;
  const bool isProgress = !text.starts_with("warning: ") && !text.starts_with("remark: ");
  llvm::errs() << (isProgress && !isatty(STDERR_FILENO) ? "progress: " : "") << line << "\n";
}

/// The environment and configuration files speak to llmir, which passes on what concerns us: here
/// they would change what is compiled behind its back.
static Status parseAndRun(std::span<const std::string> words) {
  CompilerArguments arguments;
  arguments.options.stopped = [](mlir::ModuleOp module) { module.print(llvm::outs()); };
  arguments.options.report = report;
  ProgramSpec program = declareCompiler(arguments);
  auto invocation = parseArguments(program, words);
  if (!invocation)
    return forward(invocation);
  if (invocation->wantsVersion) {
    llvm::outs() << program.version << "\n";
    return {};
  }
  if (invocation->wantsHelp) {
    Style style{usesColor("auto", STDOUT_FILENO)};
    int width = terminalWidth(STDOUT_FILENO);
    llvm::outs() << (invocation->command ? commandHelp(program, *invocation->command, style, width)
                                         : programHelp(program, style, width));
    return {};
  }
  if (Status status = checkCombinations(*invocation->command); !status)
    return status;
  return runCompilerCommand(invocation->command->name, arguments);
}

int compilerMain(int argc, char **argv) {
  prepareStandardStreams();
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  Status status = parseAndRun(words);
  // Left to itself, the stream would end the process with a message of LLVM's.
  llvm::outs().flush();
  if (std::error_code code = llvm::outs().error()) {
    llvm::outs().clear_error();
    if (status)
      status = fail("stdout: cannot be written: {}", code.message());
  }
  if (status)
    return 0;
  llvm::errs() << "error: " << status.error().message << "\n";
  return status.error().exitCode;
}

} // namespace llmir
