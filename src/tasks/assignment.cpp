#include "tasks/assignment.h"

#include <algorithm>
#include <limits>

namespace vesalius::tasks {
namespace {

constexpr double kFar = std::numeric_limits<double>::infinity();

/// Rows taken in one by one; no more of them than columns. Places count from 1, and 0 is where the
/// row that is being taken in waits.
class Assignment {
 public:
  Assignment(int64_t rows, int64_t columns)
      : row_price_(rows + 1), column_price_(columns + 1), row_of_(columns + 1) {}

  /// `cost(row, column)`, counting from 0.
  template <class Cost>
  void take_in(int64_t row, const Cost& cost) {
    const size_t places = row_of_.size();
    std::vector<double> distance(places, kFar);
    std::vector<size_t> before(places);
    std::vector<bool> done(places);
    row_of_[0] = row;
    size_t at = 0;
    do {
      done[at] = true;
      const int64_t from = row_of_[at];
      size_t next = 0;
      for (size_t j = 1; j < places; ++j) {
        if (done[j]) continue;
        const double step = cost(from - 1, static_cast<int64_t>(j) - 1) -
                            row_price_[static_cast<size_t>(from)] - column_price_[j];
        if (step < distance[j]) distance[j] = step, before[j] = at;
        if (next == 0 || distance[j] < distance[next]) next = j;
      }
      raise_prices(distance, done, distance[next]);
      at = next;
    } while (row_of_[at] != 0);
    for (; at != 0; at = before[at]) row_of_[at] = row_of_[before[at]];
  }

  int64_t row_of(size_t column) const { return row_of_[column + 1] - 1; }  // -1: nobody's

 private:
  void raise_prices(std::vector<double>& distance, const std::vector<bool>& done, double by) {
    for (size_t j = 0; j < done.size(); ++j) {
      if (done[j]) {
        row_price_[static_cast<size_t>(row_of_[j])] += by;
        column_price_[j] -= by;
      } else {
        distance[j] -= by;
      }
    }
  }

  std::vector<double> row_price_, column_price_;
  std::vector<int64_t> row_of_;
};

}  // namespace

std::vector<std::pair<int64_t, int64_t>> cheapest_assignment(std::span<const double> costs,
                                                             int64_t rows, int64_t columns) {
  const bool tall = rows > columns;
  const int64_t shorter = std::min(rows, columns), longer = std::max(rows, columns);
  Assignment assignment(shorter, longer);
  for (int64_t row = 1; row <= shorter; ++row)
    assignment.take_in(row, [&](int64_t r, int64_t c) {
      return costs[static_cast<size_t>(tall ? c * columns + r : r * columns + c)];
    });
  std::vector<std::pair<int64_t, int64_t>> pairs;
  for (int64_t place = 0; place < longer; ++place) {
    const int64_t row = assignment.row_of(static_cast<size_t>(place));
    if (row < 0) continue;
    pairs.emplace_back(tall ? place : row, tall ? row : place);
  }
  std::ranges::sort(pairs);
  return pairs;
}

}  // namespace vesalius::tasks
