// The pipeline as data: one flat list of phases, each with a name, a switch and a function, and
// what a compilation carries from one to the next. RunPhases.cpp runs the list.
#pragma once

#include "llmir/abi/Manifest.h"
#include "llmir/codegen/cpu/LowerModel.h"
#include "llmir/compiler/Compile.h"
#include "llmir/compiler/Verify.h"
#include "mlir/Support/Timing.h"
#include <span>

namespace llmir {

/// Everything a compilation has made so far.
struct Compilation {
  const CompileOptions &options;
  mlir::MLIRContext &context;
  /// Makes the module; the phase `import` only checks `llmModule` if this is empty.
  std::function<Expected<mlir::OwningOpRef<mlir::ModuleOp>>()> import;
  std::string codeFile;
  WeightsPlanned weightsPlanned;
  // For --verify: the weights as they are in the model file, and behind pack-weights packed.
  // Without the latter, code is not compared.
  reference::WeightSource weightSource = {};
  std::function<std::span<const uint8_t>()> packedWeights = {};
  std::string modelFile = {}; ///< named in errors; empty: there is no file
  mlir::ModuleOp llmModule = {};
  mlir::OwningOpRef<mlir::ModuleOp> imported = {}; ///< owns llmModule if `import` made it
  llm::ModelOp model = {}; ///< null: the module has an llm.graph that is no whole model
  std::optional<cpu::WeightTable> weights = {};
  cpu::LoweredModel lowered = {};
  Manifest manifest = {};
  std::unique_ptr<Verifier> verifier = {}; ///< with --verify
  // The phase that is running:
  mlir::TimingScope *timing = nullptr;
  std::string dumpPrefix = {}; ///< of its dump files; empty: none are written
  int dumpedPasses = 0;

  /// The module that the next phase works on: llm IR, then kernels.
  mlir::ModuleOp module() { return lowered.module ? *lowered.module : llmModule; }
};

struct Phase {
  const char *name;
  /// Why --disable-pass cannot switch it off; null for an optional phase.
  const char *needed;
  Status (*run)(Compilation &);
};

/// In the order in which they run.
std::span<const Phase> phases();

/// Runs the passes that `fill` adds on the current module, timed, dumped and verified one by one.
/// The first error diagnostic becomes the Error, behind `what`.
Status runPasses(Compilation &compilation, const char *what,
                 llvm::function_ref<void(mlir::OpPassManager &)> fill);

/// Points `model` to the one llm.model, or to none where there is one llm.graph, while the current
/// module is llm IR. Fails if there is not exactly one of them.
Status findModel(Compilation &compilation);

/// Verifies the current module; `what` is whose fault a breach is.
Status verifyModule(Compilation &compilation, llvm::StringRef what);

/// Runs all phases, or those up to `stopAfter`, as the options say. Fails before the first one if
/// an option names what is not there.
Status runPhases(Compilation &compilation);

} // namespace llmir
