// How the list of phases is run: what --stop-after, --disable-pass, --pass-plugin,
// --pass-pipeline-after, --dump-dir, --timing and --verify mean, and the verification behind each
// phase.
#include "llmir/compiler/Phases.h"

#include "llmir/transforms/Passes.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Tools/Plugins/PassPlugin.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
namespace llmir {

namespace {

/// Collects MLIR's diagnostics, which would go to stderr otherwise: the first error becomes ours,
/// warnings and remarks are reported.
class Diagnostics {
public:
  explicit Diagnostics(Compilation &c)
      : handler(&c.context, [this, &c](Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() == DiagnosticSeverity::Warning)
            c.options.report("warning: " + diagnostic.str());
          else if (diagnostic.getSeverity() == DiagnosticSeverity::Remark)
            c.options.report("remark: " + diagnostic.str());
          else if (diagnostic.getSeverity() == DiagnosticSeverity::Error && first.empty())
            first = diagnostic.str();
          return success();
        }) {}
  Status check(LogicalResult result, llvm::StringRef what) const {
    if (succeeded(result))
      return {};
    return fail("{}: {}", what.str(), first.empty() ? "failed without a diagnostic" : first);
  }

private:
  std::string first;
  ScopedDiagnosticHandler handler;
};

/// Writes the current module to a file of its own.
Status dump(Compilation &c, const std::string &path) {
  std::error_code error;
  llvm::raw_fd_ostream stream(path, error);
  if (!error) {
    c.module().print(stream);
    stream << "\n";
    stream.close();
    error = stream.error();
    stream.clear_error();
  }
  return error ? fail("--dump-dir: {}: cannot be written: {}", path, error.message()) : Status();
}

/// Does something behind each pass of a phase, until it fails.
class AfterPass : public PassInstrumentation {
public:
  using Work = std::function<Status(llvm::StringRef pass)>;
  AfterPass(Work work, Status &status) : work(std::move(work)), status(status) {}

private:
  void runAfterPass(Pass *pass, Operation *) override {
    // An adaptor only runs passes on nested ops; each of those comes by itself.
    if (!pass->getArgument().empty() && status)
      status = work(pass->getArgument());
  }
  Work work;
  Status &status;
};

/// Dumps the module as a pass has left it.
Status dumpAfter(Compilation &c, llvm::StringRef pass) {
  return dump(c, fmt::format("{}.{}.{}.mlir", c.dumpPrefix, ++c.dumpedPasses, pass.str()));
}

/// Compares the model with what it was, as long as the interpreter can run it.
Status compareWithLast(Compilation &c, llvm::StringRef pass) {
  return c.verifier && !c.lowered.module ? c.verifier->check(c.llmModule, pass) : Status();
}

/// The pipeline that --pass-pipeline-after puts behind a phase.
struct ExtraPasses {
  std::string phase, pipeline;
};

std::string listNames(llvm::function_ref<bool(const Phase &)> which) {
  std::vector<std::string> names;
  for (const Phase &phase : phases())
    if (which(phase))
      names.emplace_back(phase.name);
  return llvm::join(names, ", ");
}

const Phase *findPhase(llvm::StringRef name) {
  // A phase that is one pass of ours may be called by the pass's name too.
  name.consume_front("llm-");
  for (const Phase &phase : phases())
    if (name == phase.name)
      return &phase;
  return nullptr;
}

/// `phase` as the list calls it. Fails with the names there are.
Expected<std::string> phaseNamed(const char *option, const std::string &phase) {
  if (const Phase *found = findPhase(phase))
    return std::string(found->name);
  return fail("{}={}: no such phase; the phases are {}", option, phase,
              listNames([](const Phase &) { return true; }));
}

Status checkDisabled(const std::string &name) {
  const Phase *phase = findPhase(name);
  if (!phase || phase->needed)
    return fail("--disable-pass={}: {}; optional are {}", name,
                phase ? fmt::format("cannot be switched off: {}", phase->needed) : "no such pass",
                listNames([](const Phase &phase) { return !phase.needed; }));
  return {};
}

Status loadPlugins(const PipelineOptions &options) {
  for (const std::string &file : options.passPlugins) {
    auto plugin = PassPlugin::load(file);
    if (!plugin)
      return fail("--pass-plugin={}: {}", file, llvm::toString(plugin.takeError()));
    plugin->registerPassRegistryCallbacks();
  }
  return {};
}

Expected<ExtraPasses> parseExtraPasses(const std::string &text) {
  auto [name, pipeline] = llvm::StringRef(text).split(':');
  if (pipeline.empty())
    return fail("--pass-pipeline-after={}: must be PHASE:PIPELINE, e.g. cse:llm.model(my-pass)",
                text);
  auto phase = phaseNamed("--pass-pipeline-after", name.str());
  if (!phase)
    return forward(phase);
  std::string error;
  llvm::raw_string_ostream stream(error);
  OpPassManager parsed(ModuleOp::getOperationName());
  if (failed(parsePassPipeline(pipeline, parsed, stream)))
    return fail("--pass-pipeline-after={}: {}", text,
                llvm::StringRef(error).split('\n').first.str());
  return ExtraPasses{*phase, pipeline.str()};
}

Expected<std::vector<ExtraPasses>> parseAllExtraPasses(const PipelineOptions &options) {
  static const bool registered = [] {
    llm::registerLlmPasses();
    registerTransformsPasses();
    return true;
  }();
  (void)registered;
  if (auto status = loadPlugins(options); !status)
    return forward(status);
  std::vector<ExtraPasses> all;
  for (const std::string &text : options.extraPasses) {
    auto extra = parseExtraPasses(text);
    if (!extra)
      return forward(extra);
    all.push_back(std::move(*extra));
  }
  return all;
}

/// Runs a phase, unless it is switched off, and what --pass-pipeline-after puts behind it.
Status runPhase(Compilation &c, const Phase &phase, bool enabled,
                llvm::ArrayRef<ExtraPasses> extras) {
  if (enabled) {
    if (auto status = phase.run(c); !status)
      return status;
    if (auto status = compareWithLast(c, phase.name); !status)
      return status;
  }
  for (const ExtraPasses &extra : extras) {
    if (extra.phase != phase.name)
      continue;
    auto fill = [&](OpPassManager &passes) {
      // Parsed once before; only a plugin that changes the registry could make it fail now.
      (void)parsePassPipeline(extra.pipeline, passes, llvm::nulls());
    };
    if (auto status = runPasses(c, extra.pipeline.c_str(), fill); !status)
      return status;
    if (auto status = findModel(c); !status)
      return status;
  }
  if (!enabled)
    return {};
  if (auto status = verifyModule(c, fmt::format("internal: after the phase {}", phase.name));
      !status)
    return status;
  return c.dumpPrefix.empty() || c.dumpedPasses > 0 ? Status() : dump(c, c.dumpPrefix + ".mlir");
}

} // namespace

Status verifyModule(Compilation &c, llvm::StringRef what) {
  Diagnostics diagnostics(c);
  return diagnostics.check(verify(c.module()), what);
}

Status runPasses(Compilation &c, const char *what, llvm::function_ref<void(OpPassManager &)> fill) {
  Diagnostics diagnostics(c);
  PassManager passes(&c.context);
  Status dumped, compared;
  if (!c.dumpPrefix.empty())
    passes.addInstrumentation(std::make_unique<AfterPass>(
        [&](llvm::StringRef pass) { return dumpAfter(c, pass); }, dumped));
  if (c.verifier)
    passes.addInstrumentation(std::make_unique<AfterPass>(
        [&](llvm::StringRef pass) { return compareWithLast(c, pass); }, compared));
  passes.enableTiming(*c.timing);
  fill(passes);
  auto status = diagnostics.check(passes.run(c.module()), what);
  for (Status *next : {&dumped, &compared})
    if (status)
      status = std::move(*next);
  return status;
}

Status runPhases(Compilation &c) {
  const PipelineOptions &options = c.options.pipeline;
  std::string stopAfter;
  if (!options.stopAfter.empty()) {
    auto phase = phaseNamed("--stop-after", options.stopAfter);
    if (!phase)
      return forward(phase);
    stopAfter = *phase;
  }
  std::vector<const Phase *> disabled;
  for (const std::string &name : options.disabledPasses) {
    if (auto status = checkDisabled(name); !status)
      return status;
    disabled.push_back(findPhase(name));
  }
  auto extras = parseAllExtraPasses(options);
  if (!extras)
    return forward(extras);
  if (!options.dumpDir.empty())
    if (auto error = llvm::sys::fs::create_directories(options.dumpDir))
      return fail("--dump-dir={}: cannot be made: {}", options.dumpDir, error.message());

  if (options.verify) {
    if (!c.weightSource)
      return fail("--verify: the weights are not there, only the IR");
    c.verifier = std::make_unique<Verifier>(c.weightSource, options.verifySeed);
  }

  DefaultTimingManager timing;
  timing.setEnabled(options.timing);
  TimingScope whole = timing.getRootScope();
  int number = 0;
  for (const Phase &phase : phases()) {
    TimingScope scope = whole.nest(phase.name);
    c.timing = &scope;
    c.dumpedPasses = 0;
    if (!options.dumpDir.empty())
      c.dumpPrefix = fmt::format("{}/{:02}-{}", options.dumpDir, number++, phase.name);
    if (auto status = runPhase(c, phase, !llvm::is_contained(disabled, &phase), *extras); !status)
      // An importer's errors name the file themselves.
      return c.modelFile.empty() || &phase == &phases().front() ? status
                                                                : forward(status, c.modelFile);
    if (stopAfter == phase.name) {
      if (c.options.stopped)
        c.options.stopped(c.module());
      break;
    }
  }
  if (c.verifier && c.packedWeights && !c.codeFile.empty())
    if (auto status = c.verifier->checkCode(c.codeFile, c.manifest, c.packedWeights()); !status)
      return c.modelFile.empty() ? status : forward(status, c.modelFile);
  if (c.verifier)
    c.options.report("remark: verified " + c.verifier->summary());
  return {};
}

} // namespace llmir
