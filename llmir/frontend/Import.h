// Model file to IR: one llm.model with a function for each kind of layer and one @step. Only the
// frontend knows families of models; what comes after it sees ops.
#pragma once

#include "llmir/dialect/Llm.h"
#include "llmir/formats/gguf/Gguf.h"
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

} // namespace llmir
