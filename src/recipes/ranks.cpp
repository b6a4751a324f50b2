#include "recipes/ranks.h"

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>

namespace vesalius::recipes {

namespace {

constexpr size_t kBins = size_t{1} << 16;

// Whole numbers in the order of the floats, and back.
uint32_t key_of(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  return (bits >> 31) != 0 ? ~bits : bits | 0x80000000U;
}
float value_of(uint32_t key) {
  return std::bit_cast<float>((key >> 31) != 0 ? key & 0x7FFFFFFFU : ~key);
}

/// The value of any rank: its upper 16 bits are found in one count of all values, the lower ones in
/// a count of those values that share the upper.
class Ranks {
 public:
  Ranks(std::span<const float> values, Over over) : values_(values), over_(over), upper_(kBins) {
    for (const float value : values_) {
      if (!counts(value)) continue;
      ++upper_[key_of(value) >> 16];
      ++count_;
    }
  }
  uint64_t count() const { return count_; }

  /// `rank` from 0 to count() - 1.
  double value(uint64_t rank) {
    const uint32_t high = bin_of(upper_, rank);
    const auto [found, fresh] = lower_.try_emplace(high);
    if (fresh) found->second = lower_of(high);
    const uint32_t low = bin_of(found->second, rank);
    return value_of((high << 16) | low);
  }

 private:
  using Counts = std::vector<uint64_t>;
  bool counts(float value) const { return over_ == Over::kAll || value > 0; }

  // The bin in which the value of `rank` is; `rank` becomes its rank there.
  static uint32_t bin_of(const Counts& counts, uint64_t& rank) {
    uint32_t bin = 0;
    for (; rank >= counts[bin]; ++bin) rank -= counts[bin];
    return bin;
  }

  Counts lower_of(uint32_t high) const {
    Counts lower(kBins);
    for (const float value : values_) {
      const uint32_t key = key_of(value);
      if (key >> 16 == high && counts(value)) ++lower[key & 0xFFFFU];
    }
    return lower;
  }

  std::span<const float> values_;
  Over over_;
  uint64_t count_ = 0;
  Counts upper_;
  std::map<uint32_t, Counts> lower_;
};

// Between two ranks numpy measures from the nearer, so that rounding never leads outside of both.
double interpolated(Ranks& ranks, double percent) {
  const double at = static_cast<double>(ranks.count() - 1) * (percent / 100);
  const auto before = static_cast<uint64_t>(at);
  const double a = ranks.value(before);
  if (before + 1 >= ranks.count()) return a;
  const double b = ranks.value(before + 1), part = at - std::floor(at);
  return part >= 0.5 ? b - (b - a) * (1 - part) : a + (b - a) * part;
}

}  // namespace

std::vector<double> percentiles(std::span<const float> values, const std::vector<double>& percents,
                                Over over) {
  Ranks ranks(values, over);
  std::vector<double> out;
  if (ranks.count() == 0) return out;
  for (const double percent : percents) out.push_back(interpolated(ranks, percent));
  return out;
}

}  // namespace vesalius::recipes
