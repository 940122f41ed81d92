// The order of the actions is the scheduling policy.
#include "llmir/runtime/engine/Engine.h"

#include "llmir/runtime/engine/actions/Actions.h"

namespace llmir {

Engine::Engine(Session &session, int32_t prefillChunk)
    : state{session, prefillChunk, Sampler(session.manifest().model.vocabulary), {}, {}, 0} {
  state.running.reserve(session.limits().sequences);
}

Status Engine::submit(Request request) {
  Session &session = state.session;
  if (Status status = session.checkPrompt(request.prompt); !status)
    return status;
  if (Status status = checkSamplingOptions(request.sampling); !status)
    return status;
  // The last token of a completion is not computed any more.
  int64_t maxLength = std::min(session.limits().contextTokens,
                               int64_t(request.prompt.size()) + std::max(0, request.maxTokens - 1));
  if (session.cache().blocksFor(maxLength) > session.cache().pool().capacity())
    return fail("the request needs {} KV blocks, the cache has {}: ask for fewer tokens",
                session.cache().blocksFor(maxLength), session.cache().pool().capacity());
  state.waiting.push_back(
      std::make_unique<Sequence>(std::move(request), session.cache(), maxLength));
  return {};
}

bool Engine::step() {
  if (state.waiting.empty() && state.running.empty())
    return false;
  state.session.batch().clear();
  for (Action action : {admit, decode, prefillChunk, launch, sample, finish})
    action(state);
  return true;
}

} // namespace llmir
