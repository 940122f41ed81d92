// A test model on both sides of a comparison: compiled as the product compiles it, and as the
// interpreter must run it to be comparable.
#pragma once

#include "ModelWriter.h"

#include "llmir/abi/Manifest.h"
#include "llmir/compiler/Compile.h"
#include <cstring>
#include <memory>

namespace llmir::test {

/// Zeroed memory at a multiple of 64 bytes.
struct FreeMemory {
  void operator()(uint8_t *memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<uint8_t[], FreeMemory>;
Memory alignedMemory(size_t bytes);

struct CompiledModel {
  Manifest manifest;
  Memory weights; ///< packed, as the manifest says
};

/// Compiles the module of a model's IR into a shared object at `codeFile`.
Expected<CompiledModel> compileModel(mlir::ModuleOp module, const TestModel &model,
                                     const CompileOptions &options, const std::string &codeFile);

/// Gives a module of the model's IR the roundings that `options` ask for, and no phases: what the
/// interpreter runs then is what compiled code computes.
Status addRoundings(mlir::ModuleOp module, const CompileOptions &options);

/// The tensors of a model, for the interpreter. The model outlives it.
reference::WeightSource weightSource(const TestModel &model);

} // namespace llmir::test
