// The step itself.
#include "llmir/runtime/engine/actions/Actions.h"

namespace llmir {

void launch(EngineState &state) {
  if (state.session.batch().tokens() > 0)
    state.session.run();
}

} // namespace llmir
