// Who goes with whom at the least cost.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace vesalius::tasks {

/// Pairs (row, column), by row, of the assignment with the least sum of costs [rows, columns], row
/// by row in memory: each row and each column in one pair at most, as many pairs as the shorter
/// side is long (scipy.optimize.linear_sum_assignment; Kuhn 1955, by shortest augmenting paths as
/// Jonker and Volgenant 1987). Time rises with the shorter side squared times the longer. Costs
/// must be finite.
std::vector<std::pair<int64_t, int64_t>> cheapest_assignment(std::span<const double> costs,
                                                             int64_t rows, int64_t columns);

}  // namespace vesalius::tasks
