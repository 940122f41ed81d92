// The merge loop of byte pair encoding: always the best-ranked pair of neighbours, the leftmost
// among equals. A linked list and a priority queue keep it O(n log n), so that a megabyte without a
// break is no trap.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace llmir {

/// What two neighbouring tokens merge into: a hash table from pairs of ids, frozen after building.
class MergeTable {
public:
  struct Entry {
    uint64_t pair = empty;
    uint32_t rank = 0; // smaller merges first
    int32_t merged = 0;
  };

  explicit MergeTable(size_t count = 0);

  /// The first rule for a pair stays. At most `count` rules may be added.
  void add(int32_t left, int32_t right, uint32_t rank, int32_t merged);

  /// nullptr where the two do not merge.
  const Entry *find(int32_t left, int32_t right) const;

private:
  static constexpr uint64_t empty = ~uint64_t(0);
  size_t slot(uint64_t pair) const;

  std::vector<Entry> entries; // open addressing, a power of two, at most half full
};

/// Working memory of one encode call; reused from piece to piece.
class BytePairMerger {
public:
  explicit BytePairMerger(const MergeTable &table) : table(table) {}

  /// Merges the ids as far as they go and appends what is left.
  void merge(std::span<const int32_t> ids, std::vector<int32_t> &output);

private:
  struct Symbol {
    int32_t id; // -1: swallowed by its left neighbour
    int32_t previous, next;
  };
  struct Candidate {
    uint64_t order; // rank, then position
    int32_t merged;
    bool operator<(const Candidate &other) const { return order > other.order; }
  };
  void propose(int32_t left);

  const MergeTable &table;
  std::vector<Symbol> symbols;
  std::vector<Candidate> queue; // a heap
};

} // namespace llmir
