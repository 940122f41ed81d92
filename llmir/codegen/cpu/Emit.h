// From a module of kernels to native code: MLIR to LLVM IR, a lean list of LLVM passes, an object,
// a shared object.
#pragma once

#include "llmir/codegen/Target.h"
#include "llmir/support/Error.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/Timing.h"
#include <string>

namespace llmir::cpu {

/// Registers what translation to LLVM IR needs, in addition to registerKernelDialects.
void registerEmitDialects(mlir::DialectRegistry &registry);

/// Adds the passes from kernel dialects to the LLVM dialect, for a module.
void addLlvmLowering(mlir::OpPassManager &passes);

struct EmitFiles {
  std::string assembly; ///< write the assembly here as well, if not empty
  std::string llvmIr;   ///< write the optimised LLVM IR here as well, if not empty
};

/// The path of `ld.lld`, from `folder` or else from PATH. Fails if it is in neither.
Expected<std::string> findLinker(llvm::StringRef folder = "/usr/lib/llvm-22/bin");

/// Compiles `module` (LLVM dialect) for `target` and links it, by findLinker's program, into a
/// shared object at `path`; if that is empty, writes `files` only. Undefined symbols (libm) are
/// resolved by the loading process. The steps are timed under `timing`, if given.
Status emitSharedObject(mlir::ModuleOp module, const Target &target, const std::string &path,
                        const EmitFiles &files = {}, mlir::TimingScope *timing = nullptr);

} // namespace llmir::cpu
