// The evaluated sequence and its company. The company's shapes are arbitrary but fixed: lengths,
// chunks and places in the step differ from one to the next.
#include "llmir/runtime/engine/Evaluate.h"

#include <algorithm>

namespace llmir {

namespace {

/// One of the other sequences of the batch.
class Companion {
public:
  Companion(KvCache &cache, std::span<const int32_t> tokens, int32_t number)
      : tokens(tokens), offset(size_t(number) * 7 % tokens.size()),
        end(length(int64_t(tokens.size()), number)), chunk(chunkOf(number)), kv(cache, end) {
    scratch.reserve(chunk);
  }

  static int64_t length(int64_t tokens, int32_t number) {
    return std::min(tokens, int64_t(17 + number * 37 % 240));
  }
  /// Every second one decodes.
  static int32_t chunkOf(int32_t number) { return number % 2 ? 1 : 2 + number * 5 % 15; }

  void addTo(StepBatch &batch) {
    if (kv.length() == end)
      kv.clear();
    int32_t count = int32_t(std::min<int64_t>(chunk, end - kv.length()));
    scratch.clear();
    for (int32_t i = 0; i < count; ++i)
      scratch.push_back(tokens[(offset + size_t(kv.length() + i)) % tokens.size()]);
    kv.grow(count);
    batch.add(scratch, kv, StepBatch::Logits::Last);
  }

private:
  std::span<const int32_t> tokens;
  size_t offset;
  int64_t end;
  int32_t chunk;
  KvSequence kv;
  std::vector<int32_t> scratch;
};

} // namespace

SessionOptions evaluateSession(const Manifest &manifest, int64_t tokens,
                               const EvaluateOptions &options) {
  auto blocks = [&](int64_t count) {
    return int32_t((count + manifest.kv.blockTokens - 1) / manifest.kv.blockTokens);
  };
  int32_t chunk = int32_t(std::min<int64_t>(options.prefillChunk, tokens));
  SessionOptions session;
  session.step = {chunk, options.batch, chunk + options.batch - 1, tokens};
  session.kvBlocks = blocks(tokens);
  for (int32_t number = 1; number < options.batch; ++number) {
    session.step.tokens += Companion::chunkOf(number);
    session.kvBlocks += blocks(Companion::length(tokens, number));
  }
  return session;
}

Status evaluate(Session &session, std::span<const int32_t> tokens, const EvaluateOptions &options,
                const LogitsSink &sink) {
  if (tokens.empty())
    return fail("there are no tokens to evaluate");
  if (Status status = session.checkTokens(tokens); !status)
    return status;
  StepBatch &batch = session.batch();
  KvSequence sequence(session.cache(), int64_t(tokens.size()));
  std::vector<Companion> companions;
  companions.reserve(options.batch);
  for (int32_t number = 1; number < options.batch; ++number)
    companions.emplace_back(session.cache(), tokens, number);

  size_t place = 0; // of the sequence among the others: another one each step
  for (size_t done = 0; done < tokens.size(); ++place) {
    std::span<const int32_t> chunk =
        tokens.subspan(done, std::min<size_t>(options.prefillChunk, tokens.size() - done));
    int32_t firstRow = 0;
    batch.clear();
    for (size_t i = 0; i <= companions.size(); ++i) {
      if (i == place % (companions.size() + 1)) {
        sequence.grow(int32_t(chunk.size()));
        firstRow = batch.add(chunk, sequence, StepBatch::Logits::All);
      }
      if (i < companions.size())
        companions[i].addTo(batch);
    }
    session.run();
    if (Status status = sink(session.logits(firstRow, int32_t(chunk.size()))); !status)
      return status;
    done += chunk.size();
  }
  return {};
}

} // namespace llmir
