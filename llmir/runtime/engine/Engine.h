// The scheduler: many requests, one ragged step after the other, prefill in chunks mixed with
// decodes. State and an ordered list of actions; each action is a file in actions/. The same
// requests give the same schedule. A request can fail, the engine can not; a step allocates no
// memory (callbacks may).
#pragma once

#include "llmir/runtime/engine/EngineState.h"

namespace llmir {

class Engine {
public:
  /// The session must outlive the engine. `prefillChunk`: prompt tokens a step takes at most; the
  /// session's limits must leave room for one more token for each of its sequences.
  Engine(Session &session, int32_t prefillChunk);

  /// Puts a request in the queue. Errors concern this request: tokens outside of the vocabulary, a
  /// prompt that does not fit into the context, sampling options out of range.
  Status submit(Request request);

  /// Runs one step. False when there was nothing to do.
  bool step();

  /// Steps until all requests have ended.
  void run() {
    while (step())
      ;
  }

  size_t running() const { return state.running.size(); }
  size_t waiting() const { return state.waiting.size(); }

private:
  EngineState state;
};

} // namespace llmir
