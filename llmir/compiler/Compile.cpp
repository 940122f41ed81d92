// From a model file to the artifact: opens the file, runs the phases (Phases.cpp), writes the
// manifest.
#include "llmir/compiler/Compile.h"

#include "llmir/abi/ArtifactWriter.h"
#include "llmir/codegen/cpu/Emit.h"
#include "llmir/codegen/cpu/KernelBuilder.h"
#include "llmir/compiler/PackWeights.h"
#include "llmir/compiler/Phases.h"
#include "llmir/formats/gguf/GgufWriter.h"
#include "llmir/formats/model/OpenModel.h"
#include "llmir/formats/model/TorchExport.h"
#include "llmir/frontend/Import.h"
#include "llmir/frontend/WeightSource.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Signals.h"
#include <filesystem>
#include <unistd.h>

using namespace mlir;
namespace llmir {

DialectRegistry compilerDialects() {
  DialectRegistry registry;
  registry.insert<llm::LlmDialect>();
  cpu::registerKernelDialects(registry);
  cpu::registerEmitDialects(registry);
  return registry;
}

namespace {

/// A model file in whatever form: its metadata and weights, and its graph if that does not follow
/// from the metadata.
struct Model {
  GgufFile file;
  std::shared_ptr<const torch_export::Archive> graph = nullptr;
};

} // namespace

static Expected<Model> openAny(const std::string &path) {
  if (isTorchModel(path)) {
    auto torch = openTorchModel(path);
    if (!torch)
      return forward(torch);
    return Model{std::move(torch->weights), std::move(torch->archive)};
  }
  auto file = openModel(path);
  if (!file)
    return forward(file);
  return Model{std::move(*file)};
}

static Expected<OwningOpRef<ModuleOp>> importFile(const Model &model, const CompileOptions &options,
                                                  MLIRContext &context) {
  if (model.graph)
    return importTorch(*model.graph, context);
  auto kvElement = formatByName(options.kv);
  if (options.kv != "f16" && options.kv != "f32")
    return fail("--kv {}: must be f16 or f32", options.kv);
  ImportOptions import;
  import.kvElement = *kvElement;
  import.blockTokens = options.blockTokens;
  import.warn = [&](const std::string &warning) { options.report("warning: " + warning); };
  return importGguf(model.file, import, context);
}

Expected<OwningOpRef<ModuleOp>> importModel(const std::string &modelFile,
                                            const CompileOptions &options, MLIRContext &context) {
  auto model = openAny(modelFile);
  if (!model)
    return forward(model);
  return importFile(*model, options, context);
}

Expected<Manifest> compileIr(ModuleOp module, const std::string &codeFile,
                             const CompileOptions &options, const WeightsPlanned &weightsPlanned,
                             const reference::WeightSource &weightSource) {
  Compilation compilation{.options = options,
                          .context = *module.getContext(),
                          .import = {},
                          .codeFile = codeFile,
                          .weightsPlanned = weightsPlanned,
                          .weightSource = weightSource,
                          .llmModule = module};
  if (auto status = runPhases(compilation); !status)
    return forward(status);
  return std::move(compilation.manifest);
}

/// Runs the phases on an open file, in a context of its own.
static Expected<Manifest> compileFile(const Model &model, const std::string &codeFile,
                                      const CompileOptions &options,
                                      const WeightsPlanned &weightsPlanned,
                                      std::function<std::span<const uint8_t>()> packedWeights) {
  if (options.activations != "int8" && options.activations != "int16")
    return fail("--activations {}: must be int8 or int16", options.activations);
  const GgufFile &file = model.file;
  MLIRContext context(compilerDialects(), MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  Compilation compilation{.options = options,
                          .context = context,
                          .import = [&] { return importFile(model, options, context); },
                          .codeFile = codeFile,
                          .weightsPlanned = weightsPlanned,
                          .weightSource = weightSource<reference::WeightBytes>(file),
                          .packedWeights = std::move(packedWeights),
                          .modelFile = file.path()};
  if (auto status = runPhases(compilation); !status)
    return forward(status);
  compilation.manifest.modelFile = std::filesystem::absolute(file.path());
  compilation.manifest.modelFileBytes = file.stamp().bytes;
  compilation.manifest.modelFileTime = file.stamp().time;
  compilation.manifest.cacheKey = options.cacheKey;
  return std::move(compilation.manifest);
}

Expected<Manifest> planModel(const std::string &modelFile, const CompileOptions &options) {
  auto model = openAny(modelFile);
  if (!model)
    return forward(model);
  CompileOptions planned = options;
  planned.pipeline.stopAfter = "lower";
  planned.stopped = nullptr; // the sizes are wanted, not the IR
  return compileFile(*model, /*codeFile=*/"", planned, /*weightsPlanned=*/{}, /*packedWeights=*/{});
}

/// All metadata of the model, and no tensor: tokenizer and chat template are in it.
static Expected<std::string> textSide(const GgufFile &file) {
  GgufWriter writer;
  for (std::string_view key : file.keys()) {
    auto value = file.value(key);
    if (!value)
      return forward(value);
    writer.addValue(key, *value);
  }
  return writer.toBytes();
}

static std::span<const uint8_t> asBytes(const std::string &text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

/// Compiles and packs into `output`, which is made for it once the size of the weights is known.
static Status writeArtifact(const Model &model, const std::string &output,
                            const CompileOptions &options) {
  const GgufFile &file = model.file;
  auto lookup = [&](const std::string &name) -> Expected<GgufTensor> {
    auto tensor = file.findTensor(name);
    if (!tensor)
      return fail("has no tensor {}", name);
    return *tensor;
  };
  std::optional<ArtifactWriter> writer;
  auto pack = [&](const cpu::WeightTable &table, const Manifest &manifest) -> Status {
    options.report(fmt::format("packing {} MB of weights", manifest.weightBytes / 1000000));
    auto created = ArtifactWriter::create(output, manifest.weightBytes);
    if (!created)
      return forward(created);
    writer.emplace(std::move(*created));
    auto status = packWeights(table, manifest, lookup, writer->weights().data());
    options.report("generating code");
    return status;
  };
  options.report(fmt::format("importing {}", file.path()));
  llvm::SmallString<128> codeFile;
  if (auto error = llvm::sys::fs::createTemporaryFile("llmir", "so", codeFile))
    return fail("a temporary file cannot be made: {}; set TMPDIR", error.message());
  llvm::sys::RemoveFileOnSignal(codeFile);
  auto removed = llvm::make_scope_exit([&] { unlink(codeFile.c_str()); });
  auto manifest = compileFile(model, codeFile.str().str(), options, pack,
                              [&] { return std::span<const uint8_t>(writer->weights()); });
  if (!manifest)
    return forward(manifest);
  auto code = MappedFile::open(codeFile.str().str());
  if (!code)
    return forward(code);
  auto text = textSide(file);
  if (!text)
    return forward(text);
  return writer->finish(*manifest, code->bytes(), asBytes(*text));
}

Status compileModel(const std::string &modelFile, const std::string &artifact,
                    const CompileOptions &options) {
  auto model = openAny(modelFile);
  if (!model)
    return forward(model);
  if (!options.pipeline.stopAfter.empty()) {
    auto stopped = compileFile(*model, /*codeFile=*/"", options, /*weightsPlanned=*/{},
                               /*packedWeights=*/{});
    return stopped ? Status() : forward(stopped);
  }
  llvm::sys::RemoveFileOnSignal(artifact);
  auto status = writeArtifact(*model, artifact, options);
  if (!status)
    unlink(artifact.c_str());
  llvm::sys::DontRemoveFileOnSignal(artifact);
  return status;
}

} // namespace llmir
