// Prompts go through in chunks of bounded size, shared by all that wait for theirs.
#include "llmir/runtime/engine/actions/Actions.h"

#include <algorithm>

namespace llmir {

void prefillChunk(EngineState &state) {
  size_t budget = size_t(state.prefillChunk);
  for (auto &sequence : state.running) {
    if (sequence->isDecoding() || sequence->logitRow >= 0)
      continue;
    std::span<const int32_t> rest = sequence->pending();
    std::span<const int32_t> chunk = rest.first(std::min(budget, rest.size()));
    if (chunk.empty())
      return; // the budget is spent
    budget -= chunk.size();
    sequence->kv.grow(int32_t(chunk.size()));
    bool isLast = chunk.size() == rest.size();
    int32_t row = state.session.batch().add(
        chunk, sequence->kv, isLast ? StepBatch::Logits::Last : StepBatch::Logits::None);
    sequence->logitRow = isLast ? row : -1;
  }
}

} // namespace llmir
