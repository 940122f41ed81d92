// Model file to IR. A GGUF file becomes one llm.model with a function for each kind of layer and
// one
// @step, a graph of torch.export a raw llm.graph. Only the frontend knows families of models and
// ops of frameworks; what comes after it sees ops of ours.
#pragma once

#include "llmir/dialect/Llm.h"
#include "llmir/formats/gguf/Gguf.h"
#include "llmir/formats/torch_export/Archive.h"
#include "llmir/support/Error.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include <functional>
#include <string>

namespace llmir {

struct ImportOptions {
  Format kvElement = Format::F16; ///< F16 or F32
  int64_t blockTokens = 16;       ///< tokens of a KV block: a power of two from 8 to 1024
  /// Gets one line for each thing that is odd but no error, such as a tensor that nothing uses.
  std::function<void(const std::string &)> warn;
};

/// Builds and verifies the module. Errors name the file, the field or tensor, what was expected and
/// the way out: unknown architecture, missing or absurd hyperparameters, missing tensors, shapes
/// that disagree with the configuration, tensor types without a codec.
Expected<mlir::OwningOpRef<mlir::ModuleOp>>
importGguf(const GgufFile &file, const ImportOptions &options, mlir::MLIRContext &context);

/// Builds and verifies a module of one llm.graph. Errors name the file, and the op, its module and
/// source line: ops that are not supported, sizes that depend on values, weights that are missing
/// or of another shape than the graph says, graphs that contradict themselves.
Expected<mlir::OwningOpRef<mlir::ModuleOp>> importTorch(const torch_export::Archive &archive,
                                                        mlir::MLIRContext &context);

namespace frontend {
/// Fails if a module that was imported from the file is no valid IR.
Status verifyImported(mlir::ModuleOp module, const std::string &path);
} // namespace frontend

} // namespace llmir
