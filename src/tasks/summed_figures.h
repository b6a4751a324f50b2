// Figures that are functions of sums over rows: cheap to draw anew and to exchange row by row.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tasks/intervals.h"

namespace vesalius::tasks {

/// Figures of one table of rows, all of the same width.
struct SummedFigures {
  struct Figure {
    std::string name;
    std::function<std::optional<double>(std::span<const double> sums)> of;
  };
  std::vector<std::vector<double>> rows;
  std::vector<Figure> figures;
};

/// The figure of all rows with its bootstrap interval (intervals.h).
std::optional<Figure> figure_of(const SummedFigures& table, const SummedFigures::Figure& figure,
                                uint64_t seed);

/// How system A differs from B on the same rows.
struct Difference {
  double value = 0;  // A's figure less B's
  double p = 1;      // two-sided
};

/// Paired approximate randomisation (Noreen 1989): rows change sides by a coin each, `rounds`
/// times; p is the share, the tables as they are counted in, in which the figures differ at least
/// as much. One for each figure, nothing where either side has no value. Error kUsage unless both
/// tables have the same number of rows, which are of the same things, and of figures.
std::vector<std::optional<Difference>> paired_differences(const SummedFigures& a,
                                                          const SummedFigures& b, uint64_t seed,
                                                          int rounds = 9999);

}  // namespace vesalius::tasks
