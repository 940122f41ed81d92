// The ragged batch of one step, written into arrays that are sized once.
#pragma once

#include "llmir/abi/llmir_abi.h"
#include "llmir/runtime/kv/KvSequence.h"

namespace llmir {

/// What one step can hold at most.
struct StepLimits {
  int32_t tokens = 0;
  int32_t sequences = 0;
  int32_t logitRows = 0;
  int64_t contextTokens = 0; ///< of one sequence
};

class StepBatch {
public:
  enum class Logits { None, Last, All };

  StepBatch(const StepLimits &limits, const KvCache &cache);

  void clear();

  /// Appends the last `tokens.size()` positions of `sequence`, which has grown by them already.
  /// Returns the first of its logit rows. The caller keeps to the limits.
  int32_t add(std::span<const int32_t> tokens, const KvSequence &sequence, Logits logits);

  int32_t tokens() const { return int32_t(tokenIds.size()); }
  int32_t logitRows() const { return int32_t(rows.size()); }

  /// Valid until the next clear() or add().
  llmir_batch view() const;

private:
  int32_t stride; // entries of a row of the block table
  std::vector<int32_t> tokenIds, positions, tokenSequence, queryStarts, lengths, blockTable, slots,
      rows;
};

} // namespace llmir
