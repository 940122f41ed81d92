// Buffers and lifted constants, whose values stand in the IR.
#pragma once

#include "llmir/formats/torch_export/Archive.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace llmir::frontend::torch {

/// The tensor as an arith.constant of the type, which has its shape. Refuses more than 16 MiB.
mlir::Value constantOf(mlir::OpBuilder &builder, mlir::Location loc,
                       const torch_export::StoredTensor &tensor, mlir::RankedTensorType type,
                       const std::string &name);

} // namespace llmir::frontend::torch
