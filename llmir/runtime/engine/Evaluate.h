// Logits of every position of a token sequence: what perplexity, comparisons with other engines and
// the tests of batch invariance need.
#pragma once

#include "llmir/runtime/engine/Session.h"
#include <functional>

namespace llmir {

struct EvaluateOptions {
  int32_t prefillChunk = 512; ///< tokens of the sequence a step takes
  int32_t batch = 1;          ///< sequences in each step: batch - 1 others go beside it
};

/// The session that evaluate() needs for a sequence of `tokens` tokens.
SessionOptions evaluateSession(const Manifest &manifest, int64_t tokens,
                               const EvaluateOptions &options);

/// Takes [rows][vocabulary] logits, in order; an error stops the evaluation.
using LogitsSink = std::function<Status(std::span<const float> rows)>;

/// Runs `tokens` chunk by chunk. The others are rotations of the same tokens of other lengths, some
/// prefilled in small chunks, some decoded token by token, started again when they end; their
/// logits are dropped. They change nothing in the result: that is what `batch` is there to show.
/// Errors: tokens outside of the vocabulary, and the sink's.
Status evaluate(Session &session, std::span<const int32_t> tokens, const EvaluateOptions &options,
                const LogitsSink &sink);

} // namespace llmir
