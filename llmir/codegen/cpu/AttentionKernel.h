// Attention over the paged KV cache, and storing into it. One kernel serves decode and prefill: a
// query token is always treated alone, block by block of the cache in ascending order, so its
// result has the same bits in every batch.
#pragma once

#include "llmir/codegen/cpu/KernelBuilder.h"
#include "llmir/dialect/Llm.h"
#include <optional>

namespace llmir::cpu {

/// Bytes of one KV block of one layer; the orders inside are those of abi/llmir_abi.h.
int64_t kBlockBytes(llm::KvType kv);
int64_t vBlockBytes(llm::KvType kv);

/// f(k ptr, v ptr (f32 rows), slot_mapping ptr (i32), K cache ptr, V cache ptr, t0, t1)
mlir::func::FuncOp kvAppendKernel(KernelBuilder &k, llm::KvType kv, int64_t kStride,
                                  int64_t vStride);

struct AttentionSpec {
  llm::KvType kv;
  int64_t queryHeads = 0;
  double scale = 1;
  bool hasWindow = false;
  std::optional<double> softcap;
  int64_t qStride = 0, resultStride = 0;
};
/// f(q, K cache, V cache, token_sequence, positions, block_table (i32 arrays), block_table_stride
/// i64, window i64 (positions that a token sees, its own included; read if hasWindow), result,
///   item0 i64, items i64, step i64): the pairs item = token * heads + kv head for item0, item0 +
///   step, … < items;
/// each computes all query heads of its KV head.
mlir::func::FuncOp attentionKernel(KernelBuilder &k, const AttentionSpec &spec);

} // namespace llmir::cpu
