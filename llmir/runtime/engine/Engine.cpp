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
  int64_t context = session.limits().contextTokens, length = int64_t(request.prompt.size());
  if (request.prompt.empty())
    return fail("the prompt is empty: at least one token is needed");
  if (length > context)
    return fail("the prompt has {} tokens, the context {}: raise --context (this model: at most "
                "{}) or shorten the prompt",
                length, context, session.manifest().model.contextLength);
  if (Status status = session.checkTokens(request.prompt); !status)
    return forward(status, "prompt");
  if (Status status = checkSamplingOptions(request.sampling); !status)
    return status;
  // The last token of a completion is not computed any more.
  int64_t maxLength = std::min(context, length + std::max(0, request.maxTokens - 1));
  if (session.cache().blocksFor(maxLength) > session.cache().pool().capacity())
    return fail("the request needs {} KV blocks, the cache has {}",
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
