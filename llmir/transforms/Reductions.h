// How llm IR may be made smaller when a failing module is cut down by llmir-reduce.
#pragma once

#include "mlir/IR/DialectRegistry.h"

namespace llmir::llm {

/// Gives the llm dialect its reduction patterns, beside MLIR's own deletion of ops: an op is
/// replaced by an operand of its result's type (a norm by its input, a cache that was appended to
/// by the one before), so that chains of ops come apart.
void registerReductions(mlir::DialectRegistry &registry);

} // namespace llmir::llm
