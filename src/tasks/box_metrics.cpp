#include "tasks/box_metrics.h"

#include <algorithm>
#include <bitset>

namespace vesalius::tasks {
namespace {

using Mask = std::bitset<static_cast<size_t>(kBoxRaster) * kBoxRaster>;

struct Cells {
  int begin, end;
};

Cells cells_between(double a, double b) {
  const auto cell = [](double at) {
    return std::clamp(static_cast<int>(at * kBoxRaster), 0, kBoxRaster);
  };
  return {cell(std::min(a, b)), cell(std::max(a, b))};
}

Mask mask_of(const std::vector<text::Box>& boxes) {
  Mask mask;
  for (const auto& box : boxes) {
    const Cells x = cells_between(box.x0, box.x1), y = cells_between(box.y0, box.y1);
    for (int row = y.begin; row < y.end; ++row)
      for (int column = x.begin; column < x.end; ++column)
        mask.set(static_cast<size_t>(row * kBoxRaster + column));
  }
  return mask;
}

std::optional<double> share(size_t part, size_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

BoxFigures compare_boxes(const std::vector<text::Box>& predicted,
                         const std::vector<text::Box>& truth) {
  const Mask ours = mask_of(predicted), theirs = mask_of(truth);
  const size_t both = (ours & theirs).count();
  return {share(both, (ours | theirs).count()), share(both, ours.count()),
          share(both, theirs.count())};
}

}  // namespace vesalius::tasks
