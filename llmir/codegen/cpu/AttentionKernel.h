// Attention over the paged KV cache, and storing into it. The context is cut into splits at fixed
// absolute positions; each split has a softmax of its own, and they are merged in ascending order.
// A query token is always treated alone. So its result has the same bits in every batch, and
// when several workers share its context.
#pragma once

#include "llmir/codegen/cpu/KernelBuilder.h"
#include "llmir/dialect/Llm.h"
#include <optional>

namespace llmir::cpu {

/// Bytes of one KV block of one layer; the orders inside are those of abi/llmir_abi.h.
int64_t kBlockBytes(llm::KvType kv);
int64_t vBlockBytes(llm::KvType kv);

/// f(k ptr, v ptr (f32 rows), slot_mapping ptr (i32), K cache ptr, V cache ptr, t0, t1, h0, h1):
/// heads [h0, h1) of tokens [t0, t1).
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

/// Tokens of a split of the context.
constexpr int64_t attentionSplit = 128;

/// What the kernels below take first: q, K cache, V cache, token_sequence, positions, block_table
/// (i32 arrays), block_table_stride i64, window i64 (positions that a token sees, its own included;
/// read if hasWindow), result.
constexpr size_t attentionInputs = 9;

/// f(inputs…, item0, items, step i64): item = token * heads + kv head stands for all query heads of
/// that KV head; items item0, item0 + step, … < items are computed.
mlir::func::FuncOp attentionKernel(KernelBuilder &k, const AttentionSpec &spec);

/// Bytes of the softmax of one query's heads of one KV head over one split; 0 if there are too many
/// heads for attentionSplitKernel.
int64_t attentionPartialBytes(KernelBuilder &k, const AttentionSpec &spec);
/// f(inputs…, partials, splits i64, item0, items, step i64): item = (token * heads + kv head) *
/// splits + split: its softmax goes to partials + item * attentionPartialBytes. Items whose split
/// the token does not see are skipped. The result is not touched.
mlir::func::FuncOp attentionSplitKernel(KernelBuilder &k, const AttentionSpec &spec);
/// f(inputs…, partials, splits i64, item0, items, step i64): item = token * heads + kv head: merges
/// the partials of all splits that the token sees into the result.
mlir::func::FuncOp attentionMergeKernel(KernelBuilder &k, const AttentionSpec &spec);

} // namespace llmir::cpu
