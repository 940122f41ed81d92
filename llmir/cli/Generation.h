// What commands that generate text have in common: options become a request, times become rates.
#pragma once

#include "llmir/cli/Options.h"
#include "llmir/runtime/engine/Request.h"
#include <algorithm>
#include <chrono>

namespace llmir {

/// A request for a completion of `prompt`, as the options want it; the callbacks are the caller's.
inline Request makeRequest(std::vector<int32_t> prompt, const GenerationOptions &options,
                           const Tokenizer &tokenizer) {
  Request request;
  request.prompt = std::move(prompt);
  request.sampling = options.sampling;
  request.maxTokens = options.maxTokens;
  if (!options.ignoreEos) {
    std::span<const int32_t> ends = tokenizer.endOfGeneration();
    request.endTokens.assign(ends.begin(), ends.end());
  }
  return request;
}

inline double perSecond(int64_t count, std::chrono::steady_clock::duration time) {
  return double(count) / std::max(1e-9, std::chrono::duration<double>(time).count());
}

} // namespace llmir
