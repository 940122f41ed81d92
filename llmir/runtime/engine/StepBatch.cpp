// Filling in llmir_batch; every vector is reserved for the largest step.
#include "llmir/runtime/engine/StepBatch.h"

#include <algorithm>
#include <cassert>

namespace llmir {

StepBatch::StepBatch(const StepLimits &limits, const KvCache &cache)
    : stride(cache.blocksFor(limits.contextTokens)) {
  for (auto *perToken : {&tokenIds, &positions, &tokenSequence, &slots})
    perToken->reserve(limits.tokens);
  queryStarts.reserve(limits.sequences + 1);
  lengths.reserve(limits.sequences);
  blockTable.reserve(size_t(limits.sequences) * stride);
  rows.reserve(limits.logitRows);
  clear();
}

void StepBatch::clear() {
  for (auto *array :
       {&tokenIds, &positions, &tokenSequence, &slots, &queryStarts, &lengths, &blockTable, &rows})
    array->clear();
  queryStarts.push_back(0);
}

int32_t StepBatch::add(std::span<const int32_t> tokens, const KvSequence &sequence, Logits logits) {
  assert(tokenIds.size() + tokens.size() <= tokenIds.capacity() && "more tokens than a step holds");
  int32_t firstRow = logitRows();
  int32_t row = int32_t(lengths.size());
  int64_t position = sequence.length() - int64_t(tokens.size());
  for (size_t i = 0; i < tokens.size(); ++i, ++position) {
    if (logits == Logits::All || (logits == Logits::Last && i + 1 == tokens.size()))
      rows.push_back(int32_t(tokenIds.size()));
    tokenIds.push_back(tokens[i]);
    positions.push_back(int32_t(position));
    tokenSequence.push_back(row);
    slots.push_back(sequence.slot(position));
  }
  queryStarts.push_back(int32_t(tokenIds.size()));
  lengths.push_back(int32_t(sequence.length()));
  std::span<const int32_t> blocks = sequence.blocks();
  blockTable.insert(blockTable.end(), blocks.begin(), blocks.end());
  blockTable.resize(lengths.size() * size_t(stride), 0);
  return firstRow;
}

llmir_batch StepBatch::view() const {
  return {
      int32_t(tokenIds.size()), int32_t(lengths.size()), int32_t(rows.size()), stride,
      tokenIds.data(),          positions.data(),        tokenSequence.data(), queryStarts.data(),
      lengths.data(),           blockTable.data(),       slots.data(),         rows.data()};
}

} // namespace llmir
