// The engine's schedule for a single sequence, with the cache kept in between.
#include "llmir/runtime/engine/Conversation.h"

#include <algorithm>

namespace llmir {

Conversation::Conversation(Session &session, int32_t prefillChunk)
    : session(&session), prefillChunk(prefillChunk), sampler(session.manifest().model.vocabulary),
      kv(session.cache(), session.limits().contextTokens) {
  history.reserve(size_t(session.limits().contextTokens) + 1);
}

int32_t Conversation::step(int64_t count, bool wantsLogits) {
  std::span<const int32_t> tokens = std::span(history).subspan(size_t(kv.length()), size_t(count));
  kv.grow(int32_t(count)); // the cache holds a whole context
  StepBatch &batch = session->batch();
  batch.clear();
  int32_t row =
      batch.add(tokens, kv, wantsLogits ? StepBatch::Logits::Last : StepBatch::Logits::None);
  session->run();
  return row;
}

Expected<TurnResult> Conversation::complete(const Request &request,
                                            const std::function<bool()> &isCancelled) {
  const std::vector<int32_t> &prompt = request.prompt;
  const int64_t context = session->limits().contextTokens, length = int64_t(prompt.size());
  if (Status status = session->checkPrompt(prompt); !status)
    return forward(status);
  if (Status status = checkSamplingOptions(request.sampling); !status)
    return forward(status);

  // The last token is computed in any case: its logits are not kept.
  const size_t comparable = std::min(size_t(kv.length()), prompt.size() - 1);
  auto differs = std::mismatch(prompt.begin(), prompt.begin() + comparable, history.begin());
  TurnResult result;
  result.kept = differs.first - prompt.begin();
  kv.shrink(result.kept);
  history.assign(prompt.begin(), prompt.end());

  int32_t row = -1;
  while (kv.length() < length) {
    if (isCancelled()) {
      result.reason = FinishReason::Cancelled;
      return result;
    }
    const int64_t count = std::min<int64_t>(prefillChunk, length - kv.length());
    row = step(count, kv.length() + count == length);
    result.computed += count;
  }
  while (result.generated < request.maxTokens) {
    auto token = sampler.sample(request.sampling, session->logits(row), history, size_t(length));
    if (!token)
      return forward(token);
    if (std::find(request.endTokens.begin(), request.endTokens.end(), *token) !=
        request.endTokens.end()) {
      result.reason = FinishReason::EndToken;
      return result;
    }
    history.push_back(*token);
    ++result.generated;
    if ((request.onToken && !request.onToken(*token)) || isCancelled()) {
      result.reason = FinishReason::Cancelled;
      return result;
    }
    if (result.generated == request.maxTokens)
      break;
    if (kv.length() >= context) {
      result.reason = FinishReason::Context;
      return result;
    }
    row = step(1, true);
  }
  return result;
}

} // namespace llmir
