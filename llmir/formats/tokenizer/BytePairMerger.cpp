// See the header. Candidates that an earlier merge made stale stay in the heap and are recognised
// when they come up.
#include "llmir/formats/tokenizer/BytePairMerger.h"

#include <algorithm>
#include <bit>

namespace llmir {

static uint64_t pairKey(int32_t left, int32_t right) {
  return uint64_t(uint32_t(left)) << 32 | uint32_t(right);
}

MergeTable::MergeTable(size_t count) : entries(std::bit_ceil(std::max<size_t>(count, 1) * 2)) {}

size_t MergeTable::slot(uint64_t pair) const {
  const size_t mask = entries.size() - 1;
  uint64_t hash = pair * 0x9E3779B97F4A7C15u;
  size_t index = (hash ^ (hash >> 32)) & mask;
  while (entries[index].pair != empty && entries[index].pair != pair)
    index = (index + 1) & mask;
  return index;
}

void MergeTable::add(int32_t left, int32_t right, uint32_t rank, int32_t merged) {
  const uint64_t pair = pairKey(left, right);
  Entry &entry = entries[slot(pair)];
  if (entry.pair == empty)
    entry = {pair, rank, merged};
}

const MergeTable::Entry *MergeTable::find(int32_t left, int32_t right) const {
  const Entry &entry = entries[slot(pairKey(left, right))];
  return entry.pair == empty ? nullptr : &entry;
}

void BytePairMerger::propose(int32_t left) {
  const int32_t right = symbols[left].next;
  if (right < 0)
    return;
  const MergeTable::Entry *entry = table.find(symbols[left].id, symbols[right].id);
  if (!entry)
    return;
  queue.push_back({uint64_t(entry->rank) << 32 | uint32_t(left), entry->merged});
  std::push_heap(queue.begin(), queue.end());
}

void BytePairMerger::merge(std::span<const int32_t> ids, std::vector<int32_t> &output) {
  const int32_t count = int32_t(ids.size());
  symbols.clear();
  queue.clear();
  for (int32_t i = 0; i < count; ++i)
    symbols.push_back({ids[i], i - 1, i + 1 < count ? i + 1 : -1});
  for (int32_t i = 0; i < count; ++i)
    propose(i);

  while (!queue.empty()) {
    std::pop_heap(queue.begin(), queue.end());
    const Candidate best = queue.back();
    queue.pop_back();
    const int32_t position = int32_t(uint32_t(best.order));
    Symbol &left = symbols[position];
    if (left.id < 0 || left.next < 0)
      continue;
    Symbol &right = symbols[left.next];
    const MergeTable::Entry *entry = table.find(left.id, right.id);
    if (!entry || entry->merged != best.merged || entry->rank != best.order >> 32)
      continue;
    left.id = best.merged;
    right.id = -1;
    left.next = right.next;
    if (left.next >= 0)
      symbols[left.next].previous = position;
    propose(position);
    if (left.previous >= 0)
      propose(left.previous);
  }
  for (const Symbol &symbol : symbols)
    if (symbol.id >= 0)
      output.push_back(symbol.id);
}

} // namespace llmir
