// 95 % intervals: Wilson's for shares, the bootstrap for everything else.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/json.h"

namespace vesalius::tasks {

/// A figure with its 95 % interval.
struct Figure {
  double value = 0, low = 0, high = 0;
};

/// Wilson's score interval without continuity correction (statsmodels'
/// proportion_confint(method="wilson")). Error kUsage unless 0 <= successes <= trials and trials >
/// 0.
Figure wilson(int64_t successes, int64_t trials);

/// Percentile bootstrap: `statistic` of resampled indices (with replacement), `rounds` times,
/// seeded. Rounds in which it has no value (a class missed) are drawn anew, at most ten times as
/// many in all. `value` is that of all indices. Nothing when that has none.
std::optional<Figure> bootstrap(
    int64_t count,
    const std::function<std::optional<double>(const std::vector<size_t>&)>& statistic,
    uint64_t seed, int rounds = 1000);

/// {"value", "low", "high"}, null when there is none.
Json figure_json(const std::optional<Figure>& figure);

}  // namespace vesalius::tasks
