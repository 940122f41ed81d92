// Admission promises blocks for the longest a request can become: no preemption is needed later.
#include "llmir/runtime/engine/actions/Actions.h"

namespace llmir {

void admit(EngineState &state) {
  KvCache &cache = state.session.cache();
  while (!state.waiting.empty() &&
         int32_t(state.running.size()) < state.session.limits().sequences) {
    int32_t blocks = cache.blocksFor(state.waiting.front()->maxLength);
    if (state.promisedBlocks + blocks > cache.pool().capacity())
      return; // in order: a smaller request behind this one waits too
    state.promisedBlocks += blocks;
    state.running.push_back(std::move(state.waiting.front()));
    state.waiting.pop_front();
  }
}

} // namespace llmir
