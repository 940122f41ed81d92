// From an llm.model whose ops are grouped into phases to a module of CPU kernels and the step
// function that calls them. Takes any verified model: each op is lowered by itself, whatever stands
// around it.
#pragma once

#include "llmir/abi/StepManifest.h"
#include "llmir/codegen/Target.h"
#include "llmir/codegen/cpu/WeightTable.h"
#include "llmir/support/Error.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace llmir::cpu {

struct LoweredModel {
  mlir::OwningOpRef<mlir::ModuleOp> module; ///< ready for emitSharedObject
  int64_t arenaBytesPerToken = 0;
  std::vector<FunctionManifest> functions; ///< what the step consists of
};

/// Lowers `model` to code for `target`. Fails on ops that no CPU lowering exists for, naming the
/// op.
Expected<LoweredModel> lowerModel(llm::ModelOp model, const WeightTable &weights,
                                  const Target &target);

} // namespace llmir::cpu
