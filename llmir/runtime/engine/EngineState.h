// What the engine's actions read and change.
#pragma once

#include "llmir/runtime/engine/Request.h"
#include "llmir/runtime/engine/Session.h"
#include <deque>
#include <memory>
#include <optional>

namespace llmir {

/// A request on its way, with its part of the KV cache.
struct Sequence {
  Sequence(Request wanted, KvCache &cache, int64_t maxLength)
      : request(std::move(wanted)), tokens(request.prompt), promptLength(request.prompt.size()),
        maxLength(maxLength), kv(cache, maxLength) {
    tokens.reserve(size_t(maxLength) + 1); // the last one is never computed
  }

  /// Tokens whose K and V are not in the cache yet: the rest of the prompt, or the last token.
  std::span<const int32_t> pending() const {
    return std::span(tokens).subspan(size_t(kv.length()));
  }
  bool isDecoding() const { return kv.length() >= int64_t(promptLength); }

  Request request;
  std::vector<int32_t> tokens; ///< prompt and completion
  size_t promptLength;
  int64_t maxLength; ///< tokens that may be in the cache
  KvSequence kv;
  int32_t logitRow = -1; ///< of this step; -1: none
  std::optional<FinishReason> finished;
  std::string message;
};

struct EngineState {
  Session &session;
  const int32_t prefillChunk;
  Sampler sampler;
  std::deque<std::unique_ptr<Sequence>> waiting;
  std::vector<std::unique_ptr<Sequence>> running; ///< in order of admission
  /// Blocks that running sequences own or may still take: nobody is admitted beyond the pool, so a
  /// running sequence always finds its next block.
  int32_t promisedBlocks = 0;
};

} // namespace llmir
