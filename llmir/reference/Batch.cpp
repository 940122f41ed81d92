// Builds and checks the batch of a step.
#include "llmir/reference/Batch.h"

#include <algorithm>

namespace llmir::reference {

Batch Batch::of(std::span<const SequenceStep> sequences, int64_t block, LogitRows rows) {
  Batch batch;
  for (const SequenceStep &sequence : sequences)
    batch.blockTableStride =
        std::max(batch.blockTableStride, static_cast<int32_t>(sequence.blocks.size()));
  batch.queryStarts.push_back(0);
  for (const SequenceStep &sequence : sequences) {
    auto index = static_cast<int32_t>(batch.sequenceLengths.size());
    for (size_t i = 0; i < sequence.tokens.size(); ++i) {
      auto position = sequence.start + static_cast<int32_t>(i);
      if (rows == LogitRows::All || i + 1 == sequence.tokens.size())
        batch.logitRows.push_back(static_cast<int32_t>(batch.numTokens()));
      batch.tokens.push_back(sequence.tokens[i]);
      batch.positions.push_back(position);
      batch.tokenSequence.push_back(index);
      batch.slotMapping.push_back(
          static_cast<int32_t>(sequence.blocks[position / block] * block + position % block));
    }
    batch.queryStarts.push_back(static_cast<int32_t>(batch.numTokens()));
    batch.sequenceLengths.push_back(sequence.start + static_cast<int32_t>(sequence.tokens.size()));
    batch.blockTable.insert(batch.blockTable.end(), sequence.blocks.begin(), sequence.blocks.end());
    batch.blockTable.resize(static_cast<size_t>(batch.numSequences()) * batch.blockTableStride, -1);
  }
  return batch;
}

/// The size of one field against what the others ask for.
static Status checkSize(const char *field, size_t size, int64_t expected) {
  if (static_cast<int64_t>(size) != expected)
    return fail("batch: {} has {} entries, {} are needed", field, size, expected);
  return {};
}

static Status checkToken(const Batch &batch, int64_t token, int64_t sequence, int64_t block,
                         int64_t blocks) {
  int64_t position = batch.positions[token], slot = batch.slotMapping[token];
  if (batch.tokenSequence[token] != sequence)
    return fail("batch: token_sequence[{}] is {}, query_starts gives the token to sequence {}",
                token, batch.tokenSequence[token], sequence);
  if (position < 0 || position >= batch.sequenceLengths[sequence])
    return fail("batch: positions[{}] is {}, sequence {} has {} tokens", token, position, sequence,
                batch.sequenceLengths[sequence]);
  if (slot < 0 || slot >= blocks * block)
    return fail("batch: slot_mapping[{}] is {}, the cache has {} slots", token, slot,
                blocks * block);
  if (position / block >= batch.blockTableStride ||
      batch.blockTable[sequence * batch.blockTableStride + position / block] != slot / block ||
      position % block != slot % block)
    return fail("batch: slot_mapping[{}] is {}, block_table puts position {} of sequence {} "
                "elsewhere",
                token, slot, position, sequence);
  return {};
}

Status Batch::validate(int64_t block, int64_t blocks) const {
  if (blockTableStride < 0)
    return fail("batch: block_table_stride is {}, it must not be negative", blockTableStride);
  for (Status status : {checkSize("positions", positions.size(), numTokens()),
                        checkSize("token_sequence", tokenSequence.size(), numTokens()),
                        checkSize("slot_mapping", slotMapping.size(), numTokens()),
                        checkSize("query_starts", queryStarts.size(), numSequences() + 1),
                        checkSize("block_table", blockTable.size(),
                                  numSequences() * static_cast<int64_t>(blockTableStride))})
    if (!status)
      return status;
  if (queryStarts.front() != 0 || queryStarts.back() != numTokens() ||
      !std::is_sorted(queryStarts.begin(), queryStarts.end()))
    return fail("batch: query_starts must ascend from 0 to {}, the number of tokens", numTokens());
  for (int64_t sequence = 0; sequence < numSequences(); ++sequence)
    for (int64_t token = queryStarts[sequence]; token < queryStarts[sequence + 1]; ++token)
      if (Status status = checkToken(*this, token, sequence, block, blocks); !status)
        return status;
  for (size_t i = 0; i < logitRows.size(); ++i)
    if (logitRows[i] < 0 || logitRows[i] >= numTokens() ||
        (i > 0 && logitRows[i] <= logitRows[i - 1]))
      return fail("batch: logit_rows[{}] is {}, the rows must ascend and be below {}", i,
                  logitRows[i], numTokens());
  return {};
}

} // namespace llmir::reference
