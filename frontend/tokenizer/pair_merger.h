// Byte pair encoding: in a row of symbols, the adjacent pair that comes first in a table becomes one symbol, until there are no such pairs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace bitgrid::frontend {

class PairMerger {
 public:
  /// `left` and `right` (0 or more, below 2^31) become `merged`. Pairs of lower rank go first, and among equal ranks the leftmost. A pair
  /// that is added twice keeps the lower rank.
  void add(int left, int right, uint32_t rank, int merged);

  /// Takes n log n steps for n symbols. Symbols below 0 stay as they are.
  void merge(std::vector<int>& symbols) const;

  void reserve(size_t merges) { merges_.reserve(merges); }
  size_t size() const { return merges_.size(); }

 private:
  struct Merge {
    uint32_t rank;
    int merged;
  };
  struct Candidate {
    uint32_t rank;
    uint32_t left;  // index of the left symbol
    int merged;
    bool operator>(const Candidate& b) const { return rank != b.rank ? rank > b.rank : left > b.left; }
  };

  const Merge* find(int left, int right) const;
  void merge_short(std::vector<int>& symbols) const;
  void merge_long(std::vector<int>& symbols) const;

  std::unordered_map<uint64_t, Merge> merges_;
};

}  // namespace bitgrid::frontend
