// Where a request can fail: its logits may be broken, its callback may throw. Neither reaches
// another request.
#include "llmir/runtime/engine/actions/Actions.h"

#include <algorithm>
#include <exception>

namespace llmir {

namespace {

/// Samples the sequence's next token; the reason if that ends it.
std::optional<FinishReason> next(Sequence &sequence, Sampler &sampler,
                                 std::span<const float> logits) {
  const Request &request = sequence.request;
  if (request.maxTokens <= 0)
    return FinishReason::MaxTokens;
  auto token = sampler.sample(request.sampling, logits, sequence.tokens, sequence.promptLength);
  if (!token) {
    sequence.message = std::move(token.error().message);
    return FinishReason::Failed;
  }
  if (std::find(request.endTokens.begin(), request.endTokens.end(), *token) !=
      request.endTokens.end())
    return FinishReason::EndToken;
  sequence.tokens.push_back(*token);
  if (request.onToken && !request.onToken(*token))
    return FinishReason::Cancelled;
  if (sequence.tokens.size() - sequence.promptLength >= size_t(request.maxTokens))
    return FinishReason::MaxTokens;
  if (sequence.kv.length() >= sequence.maxLength)
    return FinishReason::Context;
  return std::nullopt;
}

} // namespace

void sample(EngineState &state) {
  for (auto &sequence : state.running) {
    if (sequence->logitRow < 0)
      continue;
    try {
      sequence->finished = next(*sequence, state.sampler, state.session.logits(sequence->logitRow));
    } catch (const std::exception &error) {
      sequence->finished = FinishReason::Failed;
      sequence->message = error.what();
    }
    sequence->logitRow = -1;
  }
}

} // namespace llmir
