// What --verify does: behind every pass, the model before it and after it are run by the exact
// interpreter on the same inputs and must give the same bits. A pass that rounds by its purpose is
// compared with a model that is rounded in the same way, so no tolerance hides anything. Compiled
// code, which sums in f32, is compared with the last model within a tolerance.
#pragma once

#include "llmir/abi/Manifest.h"
#include "llmir/compiler/VerifyInputs.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include <map>
#include <tuple>

namespace llmir {

/// Follows one model through its passes. Each function is run by itself on random activations, for
/// every layer that differs from others in more than its weights, and @step as a whole. Functions
/// that only one side has, or that take more than activations, are covered by @step.
class Verifier {
public:
  Verifier(reference::WeightSource weights, uint64_t seed);
  ~Verifier();

  /// Compares the llm.model of `module` with what it was at the last call; the first call only
  /// remembers it. Errors: a difference, with the pass, function, op, input and size of it; IR that
  /// the interpreter cannot run.
  Status check(mlir::ModuleOp module, llvm::StringRef pass);

  /// Compares the graphs of `imported` with what raising made of them, as verifyRaise does.
  Status checkRaise(mlir::ModuleOp imported, mlir::ModuleOp raised);

  /// Compares the logits of the code that was compiled from the last model with the model's. What
  /// this machine cannot run is not compared; summary() says so. Errors: a difference beyond
  /// rounding; code that cannot be loaded.
  Status checkCode(const std::string &codeFile, const Manifest &manifest,
                   std::span<const uint8_t> weights);

  /// "4 passes that changed the model: 120 comparisons on 7 inputs, the same bits; …": what was
  /// compared, the code too.
  std::string summary() const;

private:
  /// Function, layer, name of the input.
  using Run = std::tuple<std::string, int64_t, std::string>;
  /// What a run gave: the tensors, and a hash of the whole cache.
  struct Outcome {
    std::vector<reference::Tensor> tensors;
    uint64_t cache;
  };
  /// The model at one time.
  struct Snapshot {
    mlir::OwningOpRef<mlir::ModuleOp> module;
    llm::ModelOp model;
    std::string text;
    std::optional<reference::Interpreter> interpreter;
    std::map<Run, Outcome> outcomes;
  };

  std::unique_ptr<Snapshot> take(mlir::ModuleOp module, std::string text) const;
  reference::Interpreter interpret(llm::ModelOp model, reference::Options options) const;
  static Expected<const Outcome *> outcomeOf(Snapshot &snapshot, const Run &run,
                                             const VerifyInput &input,
                                             const reference::KvCache &cache);
  Status compare(Snapshot &before, Snapshot &after, const reference::Options &granted,
                 llvm::StringRef pass);
  Error explain(const Snapshot &before, const Snapshot &after, const reference::Options &granted,
                llvm::StringRef pass, const Run &run, const VerifyInput &input) const;

  reference::WeightSource weights;
  uint64_t seed;
  std::unique_ptr<Snapshot> last;
  int64_t passes = 0, comparisons = 0;
  std::set<std::string> inputNames;
  bool skipsGraph = false; ///< passes ran before there was a model
  int64_t raised = 0;      ///< graphs that were compared
  std::string codeSummary; ///< empty: there was none
};

} // namespace llmir
