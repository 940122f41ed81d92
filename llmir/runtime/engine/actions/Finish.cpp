// Ended sequences leave; those that stay keep their order.
#include "llmir/runtime/engine/actions/Actions.h"

#include <exception>

namespace llmir {

void finish(EngineState &state) {
  std::erase_if(state.running, [&](std::unique_ptr<Sequence> &sequence) {
    if (!sequence->finished)
      return false;
    state.promisedBlocks -= state.session.cache().blocksFor(sequence->maxLength);
    try {
      if (sequence->request.onFinish)
        sequence->request.onFinish(*sequence->finished, sequence->message);
    } catch (const std::exception &) {
      // The client's callback; there is nobody left to tell.
    }
    return true; // the sequence's destructor gives its blocks back
  });
}

} // namespace llmir
