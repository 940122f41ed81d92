// One token of each sequence that generates; they come before any prefill, so a long prompt never
// starves them.
#include "llmir/runtime/engine/actions/Actions.h"

namespace llmir {

void decode(EngineState &state) {
  for (auto &sequence : state.running) {
    if (!sequence->isDecoding())
      continue;
    std::span<const int32_t> tokens = sequence->pending();
    sequence->kv.grow(int32_t(tokens.size())); // admission promised the block
    sequence->logitRow = state.session.batch().add(tokens, sequence->kv, StepBatch::Logits::Last);
  }
}

} // namespace llmir
