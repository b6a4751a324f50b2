#include "tasks/intervals.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "base/error.h"

namespace vesalius::tasks {
namespace {

constexpr double kZ = 1.959963984540054;  // normal quantile of 0.975
constexpr double kTail = 0.025;

/// Linear between neighbours, as numpy's default.
double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

Figure wilson(int64_t successes, int64_t trials) {
  if (trials <= 0 || successes < 0 || successes > trials)
    fail(ErrorCode::kUsage, "{} of {} is not a share.", successes, trials);
  const auto n = static_cast<double>(trials);
  const double p = static_cast<double>(successes) / n;
  const double spread = 1 + kZ * kZ / n;
  const double centre = (p + kZ * kZ / (2 * n)) / spread;
  const double half = kZ / spread * std::sqrt(p * (1 - p) / n + kZ * kZ / (4 * n * n));
  return {p, std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

std::optional<Figure> bootstrap(
    int64_t count,
    const std::function<std::optional<double>(const std::vector<size_t>&)>& statistic,
    uint64_t seed, int rounds) {
  std::vector<size_t> indices(static_cast<size_t>(count));
  std::iota(indices.begin(), indices.end(), size_t{0});
  const auto value = statistic(indices);
  if (!value) return std::nullopt;
  std::mt19937_64 random(seed);
  std::vector<double> draws;
  constexpr int kPatience = 10;
  for (int i = 0; i < kPatience * rounds && static_cast<int>(draws.size()) < rounds; ++i) {
    // The remainder's bias is below 2^-40 for any count met here, and equal on every library.
    for (auto& index : indices)
      index = static_cast<size_t>(random() % static_cast<uint64_t>(count));
    if (const auto draw = statistic(indices)) draws.push_back(*draw);
  }
  if (draws.empty()) return Figure{*value, *value, *value};
  std::sort(draws.begin(), draws.end());
  return Figure{*value, quantile(draws, kTail), quantile(draws, 1 - kTail)};
}

Json figure_json(const std::optional<Figure>& figure) {
  if (!figure) return nullptr;
  return {{"value", figure->value}, {"low", figure->low}, {"high", figure->high}};
}

}  // namespace vesalius::tasks
