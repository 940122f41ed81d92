// What a session takes of the device's memory: planned from a manifest before anything is loaded,
// and counted afterwards. Both are the same numbers, so what `llmir inspect` says is what a run
// takes.
#pragma once

#include "llmir/runtime/engine/StepBatch.h"

namespace llmir {

struct SessionOptions {
  StepLimits step;
  int32_t kvBlocks = 0; ///< of the whole cache
};

/// Bytes of a program and its session.
struct MemoryUse {
  int64_t weights = 0; ///< packed, mapped from the artifact
  int64_t kv = 0;
  int64_t scratch = 0; ///< activations of a step
  int64_t logits = 0;
  int64_t total() const { return weights + kv + scratch + logits; }
};

/// The session in which an engine serves `sequences` sequences of up to `context` tokens at the
/// same time, all of them to their full length, with prompts in chunks of `prefillChunk` tokens.
SessionOptions engineSession(const Manifest &manifest, int64_t context, int32_t sequences,
                             int32_t prefillChunk);

/// Tokens that the scratch memory of a step is sized for: a multiple of 16, as the ABI wants it.
int64_t tokenCapacity(const StepLimits &limits);

/// What a session with these sizes will take. Errors: more than can be addressed.
Expected<MemoryUse> planMemory(const Manifest &manifest, const SessionOptions &options);

} // namespace llmir
