// From a model file to an artifact: the flat list of phases in Phases.cpp. The library behind
// llmirc and the tests.
#pragma once

#include "llmir/reference/Interpreter.h"
#include "llmir/support/Error.h"
#include "llmir/support/PipelineOptions.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include <functional>
#include <string>

namespace llmir {

struct CompileOptions {
  std::string activations = "int8"; ///< "int8" or "int16": precision of the quantised activations
  std::string kv = "f16";           ///< "f16" or "f32": element type of the KV cache
  std::string quantize = "none";    ///< "none", "int8" or "int4": what float weights become
  std::string target = "host";      ///< see Target::named
  int64_t blockTokens = 32;         ///< tokens of a KV block
  std::string assemblyFile = {};    ///< write the assembly here as well, if not empty
  std::string cacheKey = {};        ///< for the manifest
  std::function<void(const std::string &)> report = [](const std::string &) {
  }; ///< progress, one line at a time

  PipelineOptions pipeline;
  std::function<void(mlir::ModuleOp)> stopped; ///< gets the IR that pipeline.stopAfter asks for
};

/// All dialects that a compilation goes through.
mlir::DialectRegistry compilerDialects();

/// Reads a model file into llm IR: what `llmir import` prints.
Expected<mlir::OwningOpRef<mlir::ModuleOp>> importModel(const std::string &modelFile,
                                                        const CompileOptions &options,
                                                        mlir::MLIRContext &context);

/// Compiles a model file into the file `artifact` (Artifact.h). Nothing is left there if it fails
/// or is ended by a signal.
Status compileModel(const std::string &modelFile, const std::string &artifact,
                    const CompileOptions &options);

struct Manifest;
/// What compileModel would write as the manifest, without packing weights or emitting code: what
/// memory the model will take is known from it.
Expected<Manifest> planModel(const std::string &modelFile, const CompileOptions &options);

namespace cpu {
class WeightTable;
}
/// Called when the weights are planned and before the code is generated.
using WeightsPlanned = std::function<Status(const cpu::WeightTable &, Manifest &)>;

/// Everything behind import: turns the one llm.model of `module`, whatever it came from, into a
/// shared object at `codeFile` (nothing is emitted if that is empty). The module is left as the
/// passes made it. Returns the manifest; `modelFile` stays empty. `weightSource` is needed for
/// pipeline.verify alone.
Expected<Manifest> compileIr(mlir::ModuleOp module, const std::string &codeFile,
                             const CompileOptions &options, const WeightsPlanned &weightsPlanned,
                             const reference::WeightSource &weightSource = {});

} // namespace llmir
