// The running softmax of a query's heads (arXiv 1805.02867): what a walk over a part of the context
// leaves behind, and how parts are put together.
#pragma once

#include "llmir/codegen/cpu/KernelBuilder.h"

namespace llmir::cpu {

/// In memory, f32: [heads][lanes] maxima (all lanes the same) and sums (one for each lane),
/// [heads][v dim] weighted sums of V.
struct RunningSoftmax {
  KernelBuilder &k;
  int64_t heads, vDim;
  Value maxima, sums, values;

  /// Bytes of the maxima, of the sums as well; and of the values.
  static int64_t vectorsBytes(KernelBuilder &k, int64_t heads) { return heads * k.lanes() * 4; }
  static int64_t valuesBytes(int64_t heads, int64_t vDim) { return heads * vDim * 4; }
  /// On the stack; once, at the start of a function.
  static RunningSoftmax onStack(KernelBuilder &k, int64_t heads, int64_t vDim);

  /// Of nothing.
  void clear();
  /// Takes in what was summed over a part of the context behind those before.
  void merge(const RunningSoftmax &part);
  /// The values become the weighted mean of V, in place.
  void normalize();

  Value ofHead(Value vectors, Value head) const { return k.at(vectors, head, k.lanes() * 4); }
};

} // namespace llmir::cpu
