// Drives a session directly: batches as the engine would build them.
#include "llmir/cli/Benchmark.h"

#include "llmir/cli/Prompts.h"
#include "llmir/runtime/engine/Engine.h"
#include <algorithm>
#include <chrono>

namespace llmir {

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

} // namespace

Expected<Benchmark> Benchmark::create(LoadedProgram &loaded, const BenchmarkSizes &sizes) {
  const Manifest &manifest = loaded.program->manifest();
  const int64_t longest = std::max(
      {sizes.prefillTokens, sizes.promptTokens + sizes.decodeTokens, sizes.firstTokenPrompt});
  SessionOptions options = engineSession(manifest, longest, std::max(1, sizes.batch),
                                         std::min<int32_t>(sizes.prefillChunk, int32_t(longest)));
  auto session = Session::create(*loaded.device, *loaded.program, options);
  if (!session)
    return forward(session);
  Benchmark benchmark(sizes, std::move(*session));
  benchmark.tokens = someTokens(longest, manifest.model.vocabulary);
  return benchmark;
}

double Benchmark::prefill(int32_t count) {
  KvSequence sequence(session->cache(), count);
  const double start = now();
  computePrompt(*session, sequence, std::span(tokens).first(size_t(count)), sizes.prefillChunk);
  return now() - start;
}

double Benchmark::decode(int32_t batchSize) {
  StepBatch &batch = session->batch();
  std::vector<KvSequence> sequences =
      sequencesBehind(*session, std::span(tokens).first(size_t(sizes.promptTokens)), batchSize,
                      sizes.decodeTokens, sizes.prefillChunk);
  const double start = now();
  for (int32_t step = 0; step < sizes.decodeTokens; ++step) {
    batch.clear();
    for (size_t i = 0; i < sequences.size(); ++i) {
      sequences[i].grow(1);
      batch.add(std::span(tokens).subspan((step + i) % tokens.size(), 1), sequences[i],
                StepBatch::Logits::Last);
    }
    session->run();
  }
  return now() - start;
}

double Benchmark::firstToken() {
  Engine engine(*session, session->limits().tokens - session->limits().sequences);
  Request request;
  request.prompt.assign(tokens.begin(), tokens.begin() + sizes.firstTokenPrompt);
  request.sampling.temperature = 0;
  request.maxTokens = 1;
  double end = 0;
  request.onToken = [&](int32_t) {
    end = now();
    return true;
  };
  request.onFinish = [&](FinishReason, const std::string &) { end = end == 0 ? now() : end; };
  const double start = now();
  if (!engine.submit(std::move(request)))
    return 0; // its tokens and its length are ours: it is accepted
  engine.run();
  return end - start;
}

} // namespace llmir
