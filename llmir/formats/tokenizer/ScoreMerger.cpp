// See the header. Candidates that an earlier merge made stale stay in the heap and are recognised
// by their length when they come up.
#include "llmir/formats/tokenizer/ScoreMerger.h"

#include "llmir/formats/tokenizer/Utf16.h"
#include <algorithm>

namespace llmir {

void ScoreMerger::propose(int32_t left) {
  if (left < 0 || symbols[left].next < 0)
    return;
  const Symbol &first = symbols[left], &second = symbols[first.next];
  const size_t length = size_t(first.length) + second.length;
  if (length > vocabulary.longest)
    return;
  const std::string_view joined = text.substr(first.begin, length);
  const int32_t id = vocabulary.index.find(joined, vocabulary.texts);
  if (id < 0)
    return;
  queue.push_back({vocabulary.scores[id], left, uint32_t(length)});
  std::push_heap(queue.begin(), queue.end());
  if (vocabulary.hasUnused && vocabulary.types[id] == TokenType::Unused)
    parts[joined] = {textOf(first), textOf(second)};
}

void ScoreMerger::merge(std::string_view given, std::vector<int32_t> &ids) {
  text = given;
  symbols.clear();
  queue.clear();
  parts.clear();
  isBehindUnknown = false;
  for (size_t begin = 0; begin < text.size();) {
    const auto place = int32_t(symbols.size());
    const auto length = uint32_t(characterLength(text.substr(begin)));
    symbols.push_back({begin, length, place - 1, place + 1});
    begin += length;
  }
  if (symbols.empty())
    return;
  symbols.back().next = -1;
  for (int32_t i = 0; i < int32_t(symbols.size()); ++i)
    propose(i);

  while (!queue.empty()) {
    std::pop_heap(queue.begin(), queue.end());
    const Candidate best = queue.back();
    queue.pop_back();
    Symbol &left = symbols[best.left];
    if (left.length == 0 || left.next < 0 || left.length + symbols[left.next].length != best.length)
      continue;
    Symbol &right = symbols[left.next];
    left.length = best.length;
    right.length = 0;
    left.next = right.next;
    if (left.next >= 0)
      symbols[left.next].previous = best.left;
    propose(left.previous);
    propose(best.left);
  }
  for (const Symbol &symbol : symbols)
    if (symbol.length > 0)
      output(textOf(symbol), ids);
}

void ScoreMerger::output(std::string_view piece, std::vector<int32_t> &ids) {
  pending.assign(1, piece);
  while (!pending.empty()) {
    piece = pending.back();
    pending.pop_back();
    const int32_t id = vocabulary.index.find(piece, vocabulary.texts);
    if (id < 0) {
      outputUnknown(piece, ids);
      continue;
    }
    const bool isUnused = vocabulary.hasUnused && vocabulary.types[id] == TokenType::Unused;
    if (auto split = isUnused ? parts.find(piece) : parts.end(); split != parts.end()) {
      pending.push_back(split->second.second);
      pending.push_back(split->second.first);
      continue;
    }
    ids.push_back(id);
    isBehindUnknown = false;
  }
}

void ScoreMerger::outputUnknown(std::string_view piece, std::vector<int32_t> &ids) {
  for (uint8_t byte : piece) {
    const int32_t id = vocabulary.byteTokens[byte];
    if (id < 0 && vocabulary.unknown >= 0 && !isBehindUnknown)
      ids.push_back(vocabulary.unknown);
    if (id >= 0)
      ids.push_back(id);
    isBehindUnknown = id < 0;
  }
}

} // namespace llmir
