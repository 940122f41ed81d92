// The batches that cases run: what a server would make of sequences that come and go.
#include "Case.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <random>

namespace llmir::conformance {

using reference::Batch;
using reference::SequenceStep;

std::vector<Step> rowSteps() {
  std::vector<Step> steps;
  for (int tokens = 1; tokens <= 17; ++tokens)
    steps.push_back({{{tokens, tokens}}});
  steps.push_back({{{20, 33}}});
  steps.push_back({{{20, 1}, {21, 64}, {22, 3}}, Rows::LastOfSequence});
  steps.push_back({{{20, 1}, {21, 1}, {22, 1}}, Rows::None});
  steps.push_back({{{23, 50}}, Rows::EveryThird});
  return steps;
}

std::vector<Step> mixedSteps() {
  return {{{{0, 5}, {1, 33}}},
          {{{0, 1}, {1, 9}, {2, 18}}},
          {{{0, 1}, {1, 1}, {2, 1}}},
          {{{2, 1}, {3, 1}}, Rows::LastOfSequence},
          {{{0, 1}, {1, 1}, {2, 1}, {3, 1}}, Rows::None},
          {{{3, 7}, {0, 1}}, Rows::EveryThird},
          {{{1, 1}}}};
}

std::vector<Step> longSteps() {
  return {{{{0, 131}}, Rows::EveryThird},
          {{{0, 125}, {1, 2}}, Rows::LastOfSequence},
          {{{0, 1}}},
          {{{0, 1}}},
          {{{0, 45}, {1, 1}}},
          {{{0, 1}}},
          {{{0, 1}, {1, 1}}}};
}

static void chooseRows(Batch &batch, Rows rows) {
  int32_t row = 0;
  if (rows == Rows::None)
    batch.logitRows.clear();
  else if (rows == Rows::EveryThird)
    std::erase_if(batch.logitRows, [&](int32_t) { return row++ % 3 != 1; });
}

std::vector<Batch> batchesOf(const std::vector<Step> &steps, int64_t tokens, int64_t block,
                             int64_t &blocks) {
  std::mt19937_64 random(tokens * 64 + block);
  std::map<int, int64_t> lengths;
  for (const Step &step : steps)
    for (const Part &part : step.parts)
      lengths[part.sequence] += part.tokens;
  // One block more than is used.
  blocks = 1;
  for (auto [sequence, length] : lengths)
    blocks += (length + block - 1) / block;
  std::vector<int32_t> order(blocks);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), random);
  std::map<int, SequenceStep> sequences;
  auto next = order.begin();
  for (auto [sequence, length] : lengths) {
    sequences[sequence].blocks.assign(next, next + (length + block - 1) / block);
    next += (length + block - 1) / block;
  }
  std::vector<Batch> batches;
  for (const Step &step : steps) {
    std::vector<SequenceStep> parts;
    for (const Part &part : step.parts) {
      SequenceStep &sequence = sequences[part.sequence];
      sequence.tokens.resize(part.tokens);
      for (int32_t &token : sequence.tokens)
        token = static_cast<int32_t>(random() % tokens);
      parts.push_back(sequence);
      sequence.start += part.tokens;
    }
    batches.push_back(Batch::of(parts, block,
                                step.rows == Rows::LastOfSequence
                                    ? reference::LogitRows::LastOfSequence
                                    : reference::LogitRows::All));
    chooseRows(batches.back(), step.rows);
  }
  return batches;
}

} // namespace llmir::conformance
