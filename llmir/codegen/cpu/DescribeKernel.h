// What the kernel of an op moves and computes, for the manifest: facts that the shapes tell, none
// of them measured.
#pragma once

#include "llmir/abi/StepManifest.h"
#include "llmir/codegen/cpu/KernelBuilder.h"
#include "llmir/codegen/cpu/WeightTable.h"

namespace llmir::cpu {

/// All but the names of the functions and which rows they are of.
KernelManifest describeKernel(KernelBuilder &k, mlir::Operation &op, const WeightTable &weights);

/// The table of one rotation, filled once a step.
KernelManifest describeRopeTable(llvm::StringRef name, llm::RopeAttr rope);

/// The copy of a value that a function returns and may not write in place.
KernelManifest describeCopy(llvm::StringRef name, Type type);

} // namespace llmir::cpu
