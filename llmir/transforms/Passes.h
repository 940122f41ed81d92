// The passes of llm → llm; described in Passes.td.
#pragma once

#include "llmir/dialect/Llm.h"
#include "mlir/Pass/Pass.h"

namespace llmir::llm {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "llmir/transforms/Passes.h.inc"

} // namespace llmir::llm
