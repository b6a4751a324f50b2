#include "tasks/summed_figures.h"

#include <cmath>
#include <random>

#include "base/error.h"

namespace vesalius::tasks {
namespace {

using Sums = std::vector<double>;

void add(Sums& sums, const std::vector<double>& row) {
  sums.resize(row.size());
  for (size_t i = 0; i < row.size(); ++i) sums[i] += row[i];
}

/// Sums of two systems over all rows; a row whose coin is 1 counts for the other side.
class Sides {
 public:
  Sides(const SummedFigures& a, const SummedFigures& b) : a_(a), b_(b) {}

  void sum(const std::function<uint64_t()>& sixty_four_coins) {
    constexpr size_t kCoins = 64;
    left_.assign(left_.size(), 0);
    right_.assign(right_.size(), 0);
    uint64_t coins = 0;
    for (size_t i = 0; i < a_.rows.size(); ++i) {
      if (i % kCoins == 0) coins = sixty_four_coins();
      const bool stays = (coins >> (i % kCoins) & 1) == 0;
      add(left_, stays ? a_.rows[i] : b_.rows[i]);
      add(right_, stays ? b_.rows[i] : a_.rows[i]);
    }
  }

  std::optional<double> difference(size_t figure) const {
    const auto first = a_.figures[figure].of(left_), second = b_.figures[figure].of(right_);
    if (!first || !second) return std::nullopt;
    return *first - *second;
  }

 private:
  const SummedFigures &a_, &b_;
  Sums left_, right_;
};

/// How often a difference was at least as great as the one seen.
struct Count {
  double seen = 0;
  int drawn = 1, as_much = 1;
  void add(std::optional<double> draw) {
    // Sums in another order differ in their last digits, which is no difference.
    constexpr double kRounding = 1e-12;
    if (!draw) return;
    ++drawn;
    as_much += std::abs(*draw) >= std::abs(seen) - kRounding ? 1 : 0;
  }
};

}  // namespace

std::optional<Figure> figure_of(const SummedFigures& table, const SummedFigures::Figure& figure,
                                uint64_t seed) {
  return bootstrap(
      static_cast<int64_t>(table.rows.size()),
      [&](const std::vector<size_t>& indices) {
        std::vector<double> sums;
        for (const size_t i : indices) add(sums, table.rows[i]);
        return figure.of(sums);
      },
      seed);
}

std::vector<std::optional<Difference>> paired_differences(const SummedFigures& a,
                                                          const SummedFigures& b, uint64_t seed,
                                                          int rounds) {
  if (a.rows.size() != b.rows.size() || a.rows.empty() || a.figures.size() != b.figures.size())
    fail(ErrorCode::kUsage, "two systems are compared on the same rows ({} and {}).", a.rows.size(),
         b.rows.size());
  Sides sides(a, b);
  sides.sum([] { return uint64_t{0}; });
  std::vector<std::optional<Count>> counts;
  for (size_t f = 0; f < a.figures.size(); ++f) {
    const auto seen = sides.difference(f);
    counts.push_back(seen ? std::optional(Count{*seen}) : std::nullopt);
  }
  std::mt19937_64 random(seed);
  for (int round = 0; round < rounds; ++round) {
    sides.sum([&] { return random(); });
    for (size_t f = 0; f < counts.size(); ++f)
      if (counts[f]) counts[f]->add(sides.difference(f));
  }
  std::vector<std::optional<Difference>> differences;
  for (const auto& count : counts)
    differences.push_back(
        count ? std::optional(
                    Difference{count->seen, static_cast<double>(count->as_much) / count->drawn})
              : std::nullopt);
  return differences;
}

}  // namespace vesalius::tasks
