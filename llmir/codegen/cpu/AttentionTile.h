// One tile of the context, as long as some vectors, against the query heads of one KV head: scores
// with lane = token (K is transposed in the cache), online softmax (arXiv 1805.02867), the weighted
// sum of V with lane = column. A loaded vector serves some query heads at once.
#pragma once

#include "llmir/codegen/cpu/AttentionKernel.h"
#include "llmir/codegen/cpu/RunningSoftmax.h"

namespace llmir::cpu {

/// Query heads of a KV head that are treated in one walk over the context.
int64_t headsOfWalk(const AttentionSpec &spec);

class AttentionTile {
public:
  /// For `state.heads` query heads of a KV head. Takes stack: once, at the start of a function.
  AttentionTile(KernelBuilder &k, const AttentionSpec &spec, const RunningSoftmax &state);

  const int64_t tokens; ///< of a tile; it starts at a multiple of them

  // Where the sequence's keys are.
  Value kCache, vCache, table, kvHead;
  // Of the query: its heads' rows, its position, the first position it sees.
  Value query, position, firstPosition;

  /// The query attends the tile from `first` on: the state takes it in.
  void attend(Value first);

private:
  KernelBuilder &k;
  const AttentionSpec &spec;
  RunningSoftmax state;
  const int64_t lanes, block, kDim, vDim, heads;
  const int64_t blocksInTile, tokensInBlock; ///< blocks of a tile; tokens it takes from one
  const Type element;
  const int64_t bytes;
  int64_t registers;   ///< for accumulators; the others hold what is multiplied
  int64_t headsAtOnce; ///< query heads that are treated at once

  // Stack: [headsAtOnce][tokens] probabilities, the addresses of the tile's V in its blocks, then
  // of the next tile's.
  Value probabilities, vBlocks;
  // Of the current tile: its first position and the addresses of its first token's K in each of its
  // blocks; those of the next tile, to be prefetched: blocks lie anywhere, so the hardware cannot
  // foresee them.
  Value start;
  Values kBlocks, nextKBlocks;

  Value broadcast(Value pointer) { return k.splat(k.load(pointer, k.f32), lanes); }
  Value loadElements(Value pointer, int64_t width);
  Values findBlocks(Value first, Value vAddresses);
  void prefetchLines(Value pointer, int64_t count);
  Value loadKeys(Value component, int64_t vector);
  Values scores(Value firstHead, int64_t count);
  Values softmax(Value firstHead, llvm::ArrayRef<Value> scores, int64_t count);
  Value isInContext(int64_t vector);
  void addValues(Value firstHead, llvm::ArrayRef<Value> decay);
  void addColumns(Value firstHead, llvm::ArrayRef<Value> decay, Value column,
                  llvm::ArrayRef<int64_t> widths);
  void attendHeads(Value firstHead, int64_t count) {
    addValues(firstHead, softmax(firstHead, scores(firstHead, count), count));
  }
};

} // namespace llmir::cpu
