// The passes of llm → llm; described in Passes.td.
#pragma once

#include "llmir/dialect/Llm.h"
#include "mlir/Pass/Pass.h"

namespace llmir::llm {

/// What passes on models and graphs say in canScheduleOn.
inline bool isModelOrGraph(mlir::RegisteredOperationName name) {
  return name.getStringRef() == ModelOp::getOperationName() ||
         name.getStringRef() == GraphOp::getOperationName();
}

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "llmir/transforms/Passes.h.inc"

} // namespace llmir::llm
