// Kernels of a mixture of experts besides its products: who gets which tokens, and the sum of what
// comes back. S is the number of a token's experts; its rows lie one after the other.
#pragma once

#include "llmir/codegen/cpu/KernelBuilder.h"
#include "llmir/dialect/Llm.h"

namespace llmir::cpu {

struct RouteSpec {
  int64_t experts = 0, ranks = 0; ///< of all, and of a token
  llm::Scoring scoring = llm::Scoring::Softmax;
  bool renormalise = false;
  double scale = 1;
  int64_t logitsStride = 0, weightsStride = 0;
};
/// f(logits, experts (i32 [token][S]), weights, t0, t1): llm.experts.route.
mlir::func::FuncOp routeKernel(KernelBuilder &k, const RouteSpec &spec);

/// f(experts, order (i32 [rows]), rows i64): llm.experts.group of rows 0 to `rows`, all of them.
mlir::func::FuncOp groupKernel(KernelBuilder &k, int64_t experts);

struct CombineSpec {
  int64_t ranks = 0;
  int64_t xStride = 0, weightsStride = 0, resultStride = 0;
};
/// f(x, weights, result, t0, t1, c0, c1): llm.experts.combine for columns [c0, c1). The value of an
/// element does not depend on the ranges.
mlir::func::FuncOp combineKernel(KernelBuilder &k, const CombineSpec &spec);

} // namespace llmir::cpu
