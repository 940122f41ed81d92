// From a model file to the artifact: opens the file, runs the phases (Phases.cpp), writes the
// manifest.
#include "llmir/compiler/Compile.h"

#include "llmir/codegen/cpu/Emit.h"
#include "llmir/codegen/cpu/KernelBuilder.h"
#include "llmir/compiler/PackWeights.h"
#include "llmir/compiler/Phases.h"
#include "llmir/formats/gguf/Gguf.h"
#include "llmir/frontend/Import.h"
#include <filesystem>
#include <fstream>

using namespace mlir;
namespace llmir {

DialectRegistry compilerDialects() {
  DialectRegistry registry;
  registry.insert<llm::LlmDialect>();
  cpu::registerKernelDialects(registry);
  cpu::registerEmitDialects(registry);
  return registry;
}

static Status writeText(const std::string &path, const std::string &text) {
  std::ofstream file(path, std::ios::trunc);
  file << text;
  file.close();
  if (!file)
    return fail("{}: cannot be written: {}", path, std::strerror(errno));
  return {};
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
  Compilation compilation{.options = options,
                          .context = *module.getContext(),
                          .import = {},
                          .codeFile = codeFile,
                          .weightsPlanned = weightsPlanned,
                          .llmModule = module};
  if (auto status = runPhases(compilation); !status)
    return forward(status);
  return std::move(compilation.manifest);
}

/// Runs the phases on an open file, in a context of its own.
static Expected<Manifest> compileFile(const GgufFile &file, const std::string &codeFile,
                                      const CompileOptions &options,
                                      const WeightsPlanned &weightsPlanned) {
  if (options.activations != "int8" && options.activations != "int16")
    return fail("--activations {}: must be int8 or int16", options.activations);
  MLIRContext context(compilerDialects(), MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  Compilation compilation{.options = options,
                          .context = context,
                          .import = [&] { return importFile(file, options, context); },
                          .codeFile = codeFile,
                          .weightsPlanned = weightsPlanned,
                          .modelFile = file.path()};
  if (auto status = runPhases(compilation); !status)
    return forward(status);
  compilation.manifest.modelFile = std::filesystem::absolute(file.path());
  return std::move(compilation.manifest);
}

Expected<Manifest> planModel(const std::string &modelFile, const CompileOptions &options) {
  auto file = GgufFile::open(modelFile);
  if (!file)
    return forward(file);
  CompileOptions planned = options;
  planned.stopAfter = "lower";
  planned.stopped = nullptr; // the sizes are wanted, not the IR
  return compileFile(*file, /*codeFile=*/"", planned, /*weightsPlanned=*/{});
}

Status compileModel(const std::string &modelFile, const std::string &artifact,
                    const CompileOptions &options) {
  auto file = GgufFile::open(modelFile);
  if (!file)
    return forward(file);
  if (!options.stopAfter.empty()) {
    auto stopped = compileFile(*file, /*codeFile=*/"", options, /*weightsPlanned=*/{});
    return stopped ? Status() : forward(stopped);
  }
  const std::filesystem::path folder = artifact;
  auto lookup = [&](const std::string &name) -> Expected<SourceTensor> {
    auto tensor = file->findTensor(name);
    if (!tensor)
      return fail("has no tensor {}", name);
    return SourceTensor{tensor->format, tensor->shape, tensor->bytes};
  };
  auto pack = [&](const cpu::WeightTable &table, const Manifest &manifest) {
    options.report(fmt::format("packing {} MB of weights", manifest.weightBytes / 1000000));
    auto status = packWeights(table, manifest, lookup, folder / weightsFileName);
    options.report("generating code");
    return status;
  };
  options.report(fmt::format("importing {}", modelFile));
  auto manifest = compileFile(*file, folder / codeFileName, options, pack);
  if (!manifest)
    return forward(manifest);
  return writeText(folder / manifestFileName, manifestToJson(*manifest));
}

} // namespace llmir
