// The batch of one step on the host, as the interpreter takes it: the fields of llmir_batch
// (abi/llmir_abi.h) in vectors, so that tests and tools build a step in a line and wrong batches
// are told apart before anything runs.
#pragma once

#include "llmir/support/Error.h"
#include <cstdint>
#include <span>
#include <vector>

namespace llmir::reference {

/// What one sequence does in a step.
struct SequenceStep {
  std::vector<int32_t> tokens; ///< the tokens of this step
  int32_t start = 0;           ///< position of the first of them
  std::vector<int32_t> blocks; ///< KV blocks of the whole sequence, in the order of positions
};

/// Which tokens' logits are wanted.
enum class LogitRows { All, LastOfSequence };

/// T tokens, S sequences, R logit rows; the meaning of each field is that of llmir_batch.
struct Batch {
  std::vector<int32_t> tokens;          ///< [T]
  std::vector<int32_t> positions;       ///< [T]
  std::vector<int32_t> tokenSequence;   ///< [T]
  std::vector<int32_t> queryStarts;     ///< [S + 1]
  std::vector<int32_t> sequenceLengths; ///< [S]
  std::vector<int32_t> blockTable;      ///< [S][blockTableStride]
  int32_t blockTableStride = 0;
  std::vector<int32_t> slotMapping; ///< [T]
  std::vector<int32_t> logitRows;   ///< [R], ascending

  int64_t numTokens() const { return static_cast<int64_t>(tokens.size()); }
  int64_t numSequences() const { return static_cast<int64_t>(sequenceLengths.size()); }

  /// The step of some sequences for a cache with blocks of `block` tokens. Precondition: each has
  /// blocks enough for its positions.
  static Batch of(std::span<const SequenceStep> sequences, int64_t block,
                  LogitRows rows = LogitRows::All);

  /// Whether the fields agree with each other and with a cache of `blocks` blocks of `block`
  /// tokens. Block table entries are not looked at here: those before a window may be stale.
  Status validate(int64_t block, int64_t blocks) const;
};

} // namespace llmir::reference
