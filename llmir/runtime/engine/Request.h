// What a client wants of the engine, and how it ended.
#pragma once

#include "llmir/runtime/sampling/Sampler.h"
#include <functional>
#include <string>
#include <vector>

namespace llmir {

enum class FinishReason {
  EndToken,  ///< the model ended its text
  MaxTokens, ///< as many tokens as were asked for
  Context,   ///< the context is full
  Cancelled, ///< onToken returned false, or who runs the conversation stopped it
  Failed,    ///< this request alone; the message says why
};

struct Request {
  std::vector<int32_t> prompt; ///< not empty
  SamplingOptions sampling;
  int32_t maxTokens = 0;
  std::vector<int32_t> endTokens; ///< end the completion and are no part of it
  /// Called with each token of the completion, from Engine::step. False cancels the request.
  std::function<bool(int32_t token)> onToken;
  /// Called once, last. `message` is empty unless the request failed.
  std::function<void(FinishReason reason, const std::string &message)> onFinish;
};

} // namespace llmir
