// The flat list of phases, and how they are run: each has a name, a timer and a verification behind
// it.
#include "llmir/compiler/Compile.h"

#include "llmir/abi/Manifest.h"
#include "llmir/abi/llmir_abi.h"
#include "llmir/codegen/cpu/AttentionKernel.h"
#include "llmir/codegen/cpu/Emit.h"
#include "llmir/codegen/cpu/LowerModel.h"
#include "llmir/compiler/PackWeights.h"
#include "llmir/formats/gguf/Gguf.h"
#include "llmir/frontend/Import.h"
#include "llmir/transforms/Passes.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include <chrono>
#include <filesystem>
#include <fstream>

using namespace mlir;
namespace llmir {

namespace {

/// Everything a compilation has made so far.
struct Compilation {
  const CompileOptions &options;
  ModuleOp module;
  std::string codeFile;
  const WeightsPlanned &weightsPlanned;
  llm::ModelOp model = {};
  Target target = {};
  std::optional<cpu::WeightTable> weights = {};
  cpu::LoweredModel lowered = {};
  Manifest manifest = {};
};

/// Collects MLIR's diagnostics, which would go to stderr otherwise: the first error becomes ours.
class Diagnostics {
public:
  explicit Diagnostics(MLIRContext *context)
      : handler(context, [this](Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() == DiagnosticSeverity::Error && first.empty())
            first = diagnostic.str();
          return success();
        }) {}
  Status check(LogicalResult result, const char *what) const {
    if (succeeded(result))
      return {};
    return fail("{}: {}", what, first.empty() ? "failed without a diagnostic" : first);
  }

private:
  std::string first;
  ScopedDiagnosticHandler handler;
};

Status runPasses(Compilation &c, llvm::function_ref<void(OpPassManager &)> fill, const char *what) {
  Diagnostics diagnostics(c.module.getContext());
  PassManager passes(c.module.getContext());
  fill(passes.nest<llm::ModelOp>());
  return diagnostics.check(passes.run(c.module), what);
}

Status findModel(Compilation &c) {
  Diagnostics diagnostics(c.module.getContext());
  if (auto status = diagnostics.check(verify(c.module), "the imported model"); !status)
    return status;
  auto models = llvm::to_vector(c.module.getOps<llm::ModelOp>());
  if (models.size() != 1)
    return fail("the module has {} llm.model ops, exactly one is compiled", models.size());
  c.model = models[0];
  return {};
}

Status chooseTarget(Compilation &c) {
  auto target = Target::named(c.options.target);
  if (!target)
    return forward(target);
  c.target = *target;
  return {};
}

Status canonicalize(Compilation &c) {
  return runPasses(c, [](OpPassManager &passes) { passes.addPass(createCSEPass()); }, "cse");
}

Status quantizeActivations(Compilation &c) {
  return runPasses(
      c,
      [&](OpPassManager &passes) {
        llm::QuantizeActivationsPassOptions options;
        options.activations = c.options.activations;
        passes.addPass(llm::createQuantizeActivationsPass(options));
      },
      "llm-quantize-activations");
}

Status formPhases(Compilation &c) {
  return runPasses(
      c, [](OpPassManager &passes) { passes.addPass(llm::createFormPhasesPass()); },
      "llm-form-phases");
}

Status planWeights(Compilation &c) {
  c.weights.emplace(c.model, c.target);
  planWeights(*c.weights, c.manifest);
  return c.weightsPlanned(*c.weights, c.manifest);
}

Status lower(Compilation &c) {
  auto lowered = cpu::lowerModel(c.model, *c.weights, c.target);
  if (!lowered)
    return forward(lowered);
  c.lowered = std::move(*lowered);
  Diagnostics diagnostics(c.module.getContext());
  return diagnostics.check(verify(*c.lowered.module), "internal: generated kernels");
}

Status emit(Compilation &c) {
  Diagnostics diagnostics(c.module.getContext());
  return cpu::emitSharedObject(*c.lowered.module, c.target, c.codeFile,
                               {.assembly = c.options.assemblyFile, .llvmIr = ""});
}

Status describe(Compilation &c) {
  Manifest &manifest = c.manifest;
  llm::KvType kv = c.model.getKvType();
  manifest.abiVersion = LLMIR_ABI_VERSION;
  manifest.compiler = LLMIR_VERSION;
  manifest.triple = c.target.triple;
  manifest.cpu = c.target.cpu;
  manifest.features = c.target.cpuFlags;
  manifest.activations = c.options.activations;
  manifest.arenaBytesPerToken = c.lowered.arenaBytesPerToken;
  manifest.model.name = c.model.getSymName().str();
  manifest.model.vocabulary = static_cast<int64_t>(c.model.getVocabulary());
  manifest.model.contextLength = static_cast<int64_t>(c.model.getContextLength());
  manifest.model.layers = kv.getLayers();
  manifest.kv = {kv.getLayers(), kv.getBlock(), cpu::kBlockBytes(kv), cpu::vBlockBytes(kv),
                 kv.getElement().isF16() ? "f16" : "f32"};
  return {};
}

/// The whole pipeline behind import, in order.
struct Phase {
  const char *name;
  Status (*run)(Compilation &);
};
constexpr Phase phases[] = {
    {"find-model", findModel},
    {"choose-target", chooseTarget},
    {"cse", canonicalize},
    {"quantize-activations", quantizeActivations},
    {"form-phases", formPhases},
    {"plan-weights", planWeights},
    {"lower", lower},
    {"emit", emit},
    {"describe", describe},
};

Status runPhases(Compilation &c) {
  for (const Phase &phase : phases) {
    auto start = std::chrono::steady_clock::now();
    if (auto status = phase.run(c); !status)
      return status;
    if (c.options.timing)
      c.options.report(fmt::format(
          "{:>22} {:8.1f} ms", phase.name,
          std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
              .count()));
  }
  return {};
}

Status writeText(const std::string &path, const std::string &text) {
  std::ofstream file(path, std::ios::trunc);
  file << text;
  file.close();
  if (!file)
    return fail("{}: cannot be written: {}", path, std::strerror(errno));
  return {};
}

} // namespace

DialectRegistry compilerDialects() {
  DialectRegistry registry;
  registry.insert<llm::LlmDialect>();
  cpu::registerKernelDialects(registry);
  cpu::registerEmitDialects(registry);
  return registry;
}

static Expected<OwningOpRef<ModuleOp>>
importFile(const GgufFile &file, const CompileOptions &options, MLIRContext &context) {
  auto kvElement = formatByName(options.kv);
  if (options.kv != "f16" && options.kv != "f32")
    return fail("--kv {}: must be f16 or f32", options.kv);
  ImportOptions import;
  import.kvElement = *kvElement;
  import.blockTokens = options.blockTokens;
  import.warn = [&](const std::string &warning) { options.report("warning: " + warning); };
  return importGguf(file, import, context);
}

Expected<OwningOpRef<ModuleOp>> importModel(const std::string &modelFile,
                                            const CompileOptions &options, MLIRContext &context) {
  auto file = GgufFile::open(modelFile);
  if (!file)
    return forward(file);
  return importFile(*file, options, context);
}

Expected<Manifest> compileIr(ModuleOp module, const std::string &codeFile,
                             const CompileOptions &options, const WeightsPlanned &weightsPlanned) {
  Compilation compilation{
      .options = options, .module = module, .codeFile = codeFile, .weightsPlanned = weightsPlanned};
  if (auto status = runPhases(compilation); !status)
    return forward(status);
  return std::move(compilation.manifest);
}

Status compileModel(const std::string &modelFile, const std::string &artifact,
                    const CompileOptions &options) {
  if (options.activations != "int8" && options.activations != "int16")
    return fail("--activations {}: must be int8 or int16", options.activations);
  auto file = GgufFile::open(modelFile);
  if (!file)
    return forward(file);
  MLIRContext context(compilerDialects(), MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  options.report(fmt::format("importing {}", modelFile));
  auto module = importFile(*file, options, context);
  if (!module)
    return forward(module);

  const std::filesystem::path folder = artifact;
  auto lookup = [&](const std::string &name) -> Expected<SourceTensor> {
    auto tensor = file->findTensor(name);
    if (!tensor)
      return fail("has no tensor {}", name);
    return SourceTensor{tensor->format, tensor->shape, tensor->bytes};
  };
  auto pack = [&](const cpu::WeightTable &table, const Manifest &manifest) {
    options.report(fmt::format("packing {} MB of weights", manifest.weightBytes / 1000000));
    return packWeights(table, manifest, lookup, folder / weightsFileName);
  };
  options.report("generating code");
  auto manifest = compileIr(**module, folder / codeFileName, options, pack);
  if (!manifest)
    return forward(manifest, modelFile);
  manifest->modelFile = std::filesystem::absolute(modelFile);
  return writeText(folder / manifestFileName, manifestToJson(*manifest));
}

} // namespace llmir
