// Sequences in a state that steps can be measured from: what bench and explain have in common.
#pragma once

#include "llmir/runtime/engine/Session.h"
#include <vector>

namespace llmir {

/// Token ids without a meaning, the same each time.
std::vector<int32_t> someTokens(int64_t count, int64_t vocabulary);

/// Computes a prompt into an empty sequence, to the logits of its last token.
void computePrompt(Session &session, KvSequence &sequence, std::span<const int32_t> prompt,
                   int32_t chunk);

/// `batch` sequences with the prompt in the cache, computed once and copied, and room for `more`
/// tokens each.
std::vector<KvSequence> sequencesBehind(Session &session, std::span<const int32_t> prompt,
                                        int32_t batch, int64_t more, int32_t chunk);

} // namespace llmir
