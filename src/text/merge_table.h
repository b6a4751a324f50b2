// Byte-pair encoding's merges (Sennrich et al. 2016, arXiv:1508.07909): which two neighbours become
// one token, and which do so first.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace vesalius::text {

class MergeTable {
 public:
  /// Adds the next merge; one that is there already moves to this place.
  void add(int32_t left, int32_t right, int32_t merged);

  /// Merges neighbours until none are left to merge: of all, the pair added first, and of its
  /// places the leftmost. Takes O(n log n).
  void apply(std::vector<int32_t>& ids) const;

 private:
  struct Merge {
    int32_t rank, id;
  };
  const Merge* find(int32_t left, int32_t right) const;

  std::unordered_map<uint64_t, Merge> merges_;
  int32_t count_ = 0;
};

}  // namespace vesalius::text
