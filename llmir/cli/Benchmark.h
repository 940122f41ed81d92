// What `llmir bench` measures, one case at a time: steps of a loaded model, without a tokenizer or
// a sampler.
#pragma once

#include "llmir/driver/Model.h"
#include "llmir/runtime/engine/Session.h"
#include <vector>

namespace llmir {

/// The largest cases to come.
struct BenchmarkSizes {
  int32_t prefillTokens = 0;
  int32_t promptTokens = 0; ///< in the cache before decoding
  int32_t decodeTokens = 0;
  int32_t batch = 0;
  int32_t firstTokenPrompt = 0;
  int32_t prefillChunk = 0;
};

class Benchmark {
public:
  /// `loaded` must outlive the result. Errors: no memory, a context beyond the model's.
  static Expected<Benchmark> create(LoadedProgram &loaded, const BenchmarkSizes &sizes);

  // Each returns seconds.

  /// A prompt of `tokens` tokens, from an empty cache to the logits of its last token.
  double prefill(int32_t tokens);
  /// decodeTokens steps of `batch` sequences, behind promptTokens tokens each. Every sequence has
  /// its own copy of the prompt in the cache: what is read is what different prompts would be.
  double decode(int32_t batch);
  /// A request in the engine, from its submission to its first token.
  double firstToken();

  MemoryUse memory() const { return session->memory(); }

private:
  Benchmark(const BenchmarkSizes &sizes, std::unique_ptr<Session> session)
      : sizes(sizes), session(std::move(session)) {}

  BenchmarkSizes sizes;
  std::unique_ptr<Session> session;
  std::vector<int32_t> tokens; // any: the time does not depend on them
};

} // namespace llmir
