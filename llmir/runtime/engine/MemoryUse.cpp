// The sizes behind Session::create, which allocates exactly these.
#include "llmir/runtime/engine/MemoryUse.h"

namespace llmir {

SessionOptions engineSession(const Manifest &manifest, int64_t context, int32_t sequences,
                             int32_t prefillChunk) {
  const int64_t block = manifest.kv.blockTokens;
  // Each sequence may decode a token beside the chunk.
  const StepLimits step = {prefillChunk + sequences, sequences, sequences, context};
  const int64_t blocks = (context + block - 1) / block * sequences;
  return {step, int32_t(std::min<int64_t>(blocks, INT32_MAX))}; // too many: refused by the cache
}

int64_t tokenCapacity(const StepLimits &limits) { return (int64_t(limits.tokens) + 15) / 16 * 16; }

Expected<MemoryUse> planMemory(const Manifest &manifest, const SessionOptions &options) {
  auto kv = KvCache::bytesFor(manifest.kv, options.kvBlocks);
  if (!kv)
    return forward(kv);
  return MemoryUse{
      .weights = manifest.weightBytes,
      .kv = *kv,
      .scratch = tokenCapacity(options.step) * manifest.arenaBytesPerToken,
      .logits =
          int64_t(options.step.logitRows) * manifest.model.vocabulary * int64_t(sizeof(float)),
  };
}

} // namespace llmir
