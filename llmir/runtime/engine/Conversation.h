// One sequence that goes on from turn to turn: K and V of what was said stay in the cache, so a new
// turn computes its new tokens only. The results are bitwise those of the whole prompt computed
// anew: attention reads K and V from the cache in either case.
#pragma once

#include "llmir/runtime/engine/Request.h"
#include "llmir/runtime/engine/Session.h"

namespace llmir {

/// What one turn took.
struct TurnResult {
  FinishReason reason = FinishReason::MaxTokens; ///< never Failed: that is an error
  int64_t kept = 0;                              ///< tokens of the prompt that were in the cache
  int64_t computed = 0;                          ///< and those that were not
  int64_t generated = 0;                         ///< tokens of the completion
};

class Conversation {
public:
  /// The session must outlive this; its limits must hold one sequence of `prefillChunk` tokens a
  /// step and its cache one whole context. Nobody else may run steps of the session meanwhile.
  Conversation(Session &session, int32_t prefillChunk);

  /// Completes `request.prompt`, which is the whole conversation so far; onFinish is not called.
  /// onToken and `isCancelled` (asked between steps) can end the turn early: what was computed
  /// until then is kept.
  /// Errors: an empty prompt, one longer than the context, tokens outside of the vocabulary,
  /// sampling options out of range, logits that are no numbers.
  Expected<TurnResult> complete(const Request &request, const std::function<bool()> &isCancelled);

  /// Prompt and completion of the last turn.
  std::span<const int32_t> tokens() const { return history; }

private:
  /// One step of the next `count` tokens that are not in the cache; the row of the last one's
  /// logits, if they are wanted.
  int32_t step(int64_t count, bool wantsLogits);

  Session *session;
  int32_t prefillChunk;
  Sampler sampler;
  std::vector<int32_t> history;
  KvSequence kv; // of the first tokens of `history`
};

} // namespace llmir
