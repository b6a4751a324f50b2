// Percentiles of many values, by counting instead of sorting a copy.
#pragma once

#include <span>
#include <vector>

namespace vesalius::recipes {

/// Which values a percentile is taken over.
enum class Over {
  kAll,
  kPositive,  // those above 0: an MR's background is 0
};

/// numpy.percentile(values.astype(float64), percents), method "linear", of values without NaN;
/// `percents` from 0 to 100. Nothing if there is no value to take it over. Besides the result it
/// needs 512 KiB, however many values there are.
std::vector<double> percentiles(std::span<const float> values, const std::vector<double>& percents,
                                Over over);

}  // namespace vesalius::recipes
