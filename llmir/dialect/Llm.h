// The llm dialect: types, attributes, ops, and the few predicates that the definitions share.
#pragma once

#include "llmir/quant/Format.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include <optional>

namespace llmir::llm {

/// tensor<?xDxf32> with D > 0.
bool isActivations(mlir::Type type);
/// tensor<?xDx!llm.quant<a8 or a16>> with D > 0.
bool isQuantizedActivations(mlir::Type type);
/// tensor<?xSxDxf32> with S, D > 0: a row for each token and each of its S experts.
bool isExpertRows(mlir::Type type);
/// tensor<?xSxDx!llm.quant<a8 or a16>> with S, D > 0.
bool isQuantizedExpertRows(mlir::Type type);
/// tensor<?xSxi32> with S > 0.
bool isExpertNumbers(mlir::Type type);
/// Rows of f32 or quantised numbers, one or several for each token: any of the types above but the
/// last.
bool isRows(mlir::Type type);
/// Rows that a token has in a value of such a type: S for rows of experts, else 1.
int64_t rowsPerToken(mlir::Type type);
/// A static tensor of the given rank of f32, f16, bf16 or a GGUF block format whose rows are whole
/// blocks.
bool isWeight(mlir::Type type, int64_t rank);
/// A tensor whose element type is !llm.quant.
bool isQuantized(mlir::Type type);
/// tensor<?xi32>.
bool isIntPerToken(mlir::Type type);

/// The storage format of a tensor's element type; nothing for types that no format stores.
std::optional<Format> formatOf(mlir::Type elementType);
/// The element type for a format: builtin for f32, f16 and bf16, else !llm.quant.
mlir::Type elementTypeOf(Format format, mlir::MLIRContext *context);

} // namespace llmir::llm

#include "llmir/dialect/LlmDialect.h.inc"
#include "llmir/dialect/LlmEnums.h.inc"
#define GET_TYPEDEF_CLASSES
#include "llmir/dialect/LlmTypes.h.inc"
#define GET_ATTRDEF_CLASSES
#include "llmir/dialect/LlmAttrs.h.inc"
#define GET_OP_CLASSES
#include "llmir/dialect/LlmOps.h.inc"
