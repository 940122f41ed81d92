// Compiles test models in memory, with the compiler's own library.
#include "CompiledModel.h"

#include "llmir/compiler/PackWeights.h"
#include "llmir/transforms/Passes.h"
#include "mlir/Pass/PassManager.h"

namespace llmir::test {

Memory alignedMemory(size_t bytes) {
  bytes = (bytes + 127) / 64 * 64;
  auto *memory = static_cast<uint8_t *>(std::aligned_alloc(64, bytes));
  std::memset(memory, 0, bytes);
  return Memory(memory);
}

Expected<CompiledModel> compileModel(mlir::ModuleOp module, const TestModel &model,
                                     const CompileOptions &options, const std::string &codeFile) {
  CompiledModel compiled;
  auto lookup = [&](const std::string &name) -> Expected<GgufTensor> {
    const RandomTensor &tensor = model.tensors.at(name);
    return GgufTensor{
        .name = name, .format = tensor.format, .shape = tensor.shape, .bytes = tensor.bytes};
  };
  auto manifest = compileIr(module, codeFile, options,
                            [&](const cpu::WeightTable &table, const Manifest &manifest) {
                              compiled.weights = alignedMemory(manifest.weightBytes);
                              return packWeights(table, manifest, lookup, compiled.weights.get());
                            });
  if (!manifest)
    return forward(manifest);
  compiled.manifest = std::move(*manifest);
  return compiled;
}

Status addRoundings(mlir::ModuleOp module, const CompileOptions &options) {
  // Matrices that stay as they are, which the compiler reports too.
  mlir::ScopedDiagnosticHandler silent(module.getContext(),
                                       [](mlir::Diagnostic &) { return mlir::success(); });
  mlir::PassManager passes(module.getContext());
  auto &ofModel = passes.nest<llm::ModelOp>();
  ofModel.addPass(llm::createExpandExpertsPass());
  if (options.quantize != "none")
    ofModel.addPass(llm::createQuantizeWeightsPass({.weights = options.quantize}));
  ofModel.addPass(llm::createQuantizeActivationsPass({.activations = options.activations}));
  if (mlir::failed(passes.run(module)))
    return fail("the passes that round failed");
  return {};
}

reference::WeightSource weightSource(const TestModel &model) {
  return [&](llvm::StringRef name) -> Expected<reference::WeightBytes> {
    const RandomTensor &tensor = model.tensors.at(name.str());
    return reference::WeightBytes{tensor.format, tensor.shape, tensor.bytes};
  };
}

} // namespace llmir::test
