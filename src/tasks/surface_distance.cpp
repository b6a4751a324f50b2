#include "tasks/surface_distance.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/parallel.h"
#include "tasks/distance_transform.h"
#include "tasks/surface_elements.h"

namespace vesalius::tasks {
namespace {

using Mask = std::vector<uint8_t>;
using Index = std::array<int64_t, 3>;

/// The smallest box that holds all that is inside of either mask, from `low` up to below `high`.
struct Box {
  Index low, high{};
  bool empty() const { return high[0] == 0; }
  Index size() const { return {high[0] - low[0], high[1] - low[1], high[2] - low[2]}; }
};

Box box_of(std::span<const uint8_t> a, std::span<const uint8_t> b, const Index& size) {
  Box box{.low = size};
  size_t at = 0;
  for (int64_t k = 0; k < size[2]; ++k)
    for (int64_t j = 0; j < size[1]; ++j)
      for (int64_t i = 0; i < size[0]; ++i, ++at) {
        if (a[at] == 0 && b[at] == 0) continue;
        const Index here{i, j, k};
        for (size_t axis = 0; axis < 3; ++axis) {
          box.low[axis] = std::min(box.low[axis], here[axis]);
          box.high[axis] = std::max(box.high[axis], here[axis] + 1);
        }
      }
  return box;
}

/// A mask within a box, asked for at voxels of the box or beside it.
class Cut {
 public:
  Cut(std::span<const uint8_t> mask, const Index& whole, const Box& box)
      : mask_(mask), whole_(whole), box_(box), size_(box.size()) {}
  bool inside(int64_t i, int64_t j, int64_t k) const {
    if (i < 0 || j < 0 || k < 0 || i >= size_[0] || j >= size_[1] || k >= size_[2]) return false;
    const int64_t row = (box_.low[2] + k) * whole_[1] + box_.low[1] + j;
    return mask_[static_cast<size_t>(row * whole_[0] + box_.low[0] + i)] != 0;
  }

 private:
  std::span<const uint8_t> mask_;
  Index whole_;
  Box box_;
  Index size_;
};

/// One code a point, 0 where there is no surface, from code_at(i, j, k).
template <class CodeAt>
Mask codes(const Index& size, const CodeAt& code_at) {
  Mask result(static_cast<size_t>(size[0] * size[1] * size[2]));
  parallel_for(size[2] * size[1], [&](int64_t row) {
    for (int64_t i = 0; i < size[0]; ++i)
      result[static_cast<size_t>(row * size[0] + i)] = code_at(i, row % size[1], row / size[1]);
  });
  return result;
}

Mask border_codes(const Cut& mask, const Index& size, bool flat) {
  return codes(size, [&](int64_t i, int64_t j, int64_t k) -> uint8_t {
    if (!mask.inside(i, j, k)) return 0;
    const bool within_slice = mask.inside(i - 1, j, k) && mask.inside(i + 1, j, k) &&
                              mask.inside(i, j - 1, k) && mask.inside(i, j + 1, k);
    const bool within_stack = flat || (mask.inside(i, j, k - 1) && mask.inside(i, j, k + 1));
    return within_slice && within_stack ? 0 : 1;
  });
}

/// Corner (i, j, k) lies between the voxels i - 1 and i, j - 1 and j, k - 1 and k.
Mask element_codes(const Cut& mask, const Index& corners, bool flat) {
  const unsigned voxels = flat ? 4 : 8, full = flat ? 0xf : 0xff;
  return codes(corners, [&](int64_t i, int64_t j, int64_t k) {
    unsigned code = 0;
    for (unsigned v = 0; v < voxels; ++v)
      if (mask.inside(i - 1 + (v & 1U), j - 1 + (v >> 1 & 1U), flat ? 0 : k - 1 + (v >> 2)))
        code |= 1U << v;
    return static_cast<uint8_t>(code == full ? 0 : code);
  });
}

SurfacePoints points_of(const Mask& from, const Mask& to, const Lattice& lattice,
                        const SurfaceTable& weight) {
  const std::vector<double> distance = distances_to(to, lattice);
  SurfacePoints points;
  for (size_t i = 0; i < from.size(); ++i) {
    if (from[i] == 0) continue;
    points.distance.push_back(distance[i]);
    points.weight.push_back(weight[from[i]]);
  }
  return points;
}

void check_voxels(std::span<const uint8_t> a, std::span<const uint8_t> b, const media::Grid& grid) {
  if (a.size() != b.size() || static_cast<int64_t>(a.size()) != grid.voxels())
    fail(ErrorCode::kFailed, "masks of {} and {} voxels were given for a grid of {}.", a.size(),
         b.size(), grid.voxels());
}

SurfacePair distances(const Mask& truth, const Mask& prediction, const Lattice& lattice,
                      const SurfaceTable& weight) {
  return {points_of(truth, prediction, lattice, weight),
          points_of(prediction, truth, lattice, weight)};
}

media::Vector3 spacing_of(const media::Grid& grid) {
  return {grid.spacing(0), grid.spacing(1), grid.spacing(2)};
}

double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

/// Distances times weights, summed.
double moment(const SurfacePoints& points) {
  return std::inner_product(points.distance.begin(), points.distance.end(), points.weight.begin(),
                            0.0);
}

double weight_within(const SurfacePoints& points, double tolerance) {
  double within = 0;
  for (size_t i = 0; i < points.distance.size(); ++i)
    if (points.distance[i] <= tolerance) within += points.weight[i];
  return within;
}

}  // namespace

SurfacePair border_voxels(std::span<const uint8_t> truth, std::span<const uint8_t> prediction,
                          const media::Grid& grid) {
  check_voxels(truth, prediction, grid);
  const Box box = box_of(truth, prediction, grid.size);
  if (box.empty()) return {};
  const bool flat = grid.size[2] == 1;
  SurfaceTable weight;
  weight.fill(1);
  return distances(border_codes({truth, grid.size, box}, box.size(), flat),
                   border_codes({prediction, grid.size, box}, box.size(), flat),
                   {box.size(), spacing_of(grid)}, weight);
}

SurfacePair surface_elements(std::span<const uint8_t> truth, std::span<const uint8_t> prediction,
                             const media::Grid& grid) {
  check_voxels(truth, prediction, grid);
  const Box box = box_of(truth, prediction, grid.size);
  if (box.empty()) return {};
  const bool flat = grid.size[2] == 1;
  const media::Vector3 spacing = spacing_of(grid);
  const Index corners{box.size()[0] + 1, box.size()[1] + 1, flat ? 1 : box.size()[2] + 1};
  return distances(element_codes({truth, grid.size, box}, corners, flat),
                   element_codes({prediction, grid.size, box}, corners, flat), {corners, spacing},
                   flat ? outline_lengths(spacing) : surface_areas(spacing));
}

std::optional<double> hausdorff_distance(const SurfacePair& pair, double percentile) {
  if (!pair.meet()) return std::nullopt;
  std::vector<double> all = pair.truth.distance;
  all.insert(all.end(), pair.prediction.distance.begin(), pair.prediction.distance.end());
  std::sort(all.begin(), all.end());
  const double at = percentile / 100 * static_cast<double>(all.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, all.size() - 1);
  return all[below] + (at - static_cast<double>(below)) * (all[above] - all[below]);
}

std::optional<double> mean_surface_distance(const SurfacePair& pair) {
  if (!pair.meet()) return std::nullopt;
  return (moment(pair.truth) + moment(pair.prediction)) /
         (sum(pair.truth.weight) + sum(pair.prediction.weight));
}

std::optional<double> surface_dice(const SurfacePair& pair, double tolerance) {
  const double whole = sum(pair.truth.weight) + sum(pair.prediction.weight);
  if (whole == 0) return std::nullopt;
  return (weight_within(pair.truth, tolerance) + weight_within(pair.prediction, tolerance)) / whole;
}

}  // namespace vesalius::tasks
