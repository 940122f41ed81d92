// Batches as the engine would build them.
#include "llmir/cli/Prompts.h"

#include <algorithm>

namespace llmir {

std::vector<int32_t> someTokens(int64_t count, int64_t vocabulary) {
  std::vector<int32_t> tokens;
  for (int64_t i = 0; i < count; ++i)
    tokens.push_back(int32_t((i * 7919 + 17) % vocabulary));
  return tokens;
}

void computePrompt(Session &session, KvSequence &sequence, std::span<const int32_t> prompt,
                   int32_t chunk) {
  StepBatch &batch = session.batch();
  const auto count = int32_t(prompt.size());
  for (int32_t done = 0; done < count;) {
    const int32_t size = std::min(chunk, count - done);
    batch.clear();
    sequence.grow(size);
    batch.add(prompt.subspan(size_t(done), size_t(size)), sequence,
              done + size == count ? StepBatch::Logits::Last : StepBatch::Logits::None);
    session.run();
    done += size;
  }
}

std::vector<KvSequence> sequencesBehind(Session &session, std::span<const int32_t> prompt,
                                        int32_t batch, int64_t more, int32_t chunk) {
  KvCache &cache = session.cache();
  std::vector<KvSequence> sequences;
  for (int32_t i = 0; i < batch; ++i)
    sequences.emplace_back(cache, int64_t(prompt.size()) + more);
  computePrompt(session, sequences.front(), prompt, chunk);
  for (KvSequence &copy : std::span(sequences).subspan(1)) {
    copy.grow(int32_t(prompt.size()));
    for (size_t block = 0; block < copy.blocks().size(); ++block)
      cache.copyBlock(sequences.front().blocks()[block], copy.blocks()[block]);
  }
  return sequences;
}

} // namespace llmir
