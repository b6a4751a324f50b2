#include "tasks/distance_transform.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/parallel.h"

namespace vesalius::tasks {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The lower envelope of the parabolas value[q] + ((x - q) * spacing)^2 over a line of points.
class Envelope {
 public:
  Envelope(int64_t points, double spacing)
      : value(static_cast<size_t>(points)),
        sites_(value.size()),
        from_(value.size()),
        spacing_(spacing) {}

  std::vector<double> value;  // what is filled in before build(); not changed by it

  void build() {
    count_ = 0;
    for (size_t q = 0; q < value.size(); ++q)
      if (value[q] < kInfinity) push(q);
  }

  /// Calls put(x, height) for every point of the line.
  template <class Put>
  void heights(const Put& put) const {
    size_t k = 0;
    for (size_t x = 0; x < value.size(); ++x) {
      while (k + 1 < count_ && from_[k + 1] < static_cast<double>(x)) ++k;
      put(x, count_ == 0 ? kInfinity : height(sites_[k], x));
    }
  }

 private:
  double height(size_t site, size_t x) const {
    const double d = (static_cast<double>(x) - static_cast<double>(site)) * spacing_;
    return value[site] + d * d;
  }

  /// Where the parabola of `q` goes below that of `p` < q.
  double crossing(size_t p, size_t q) const {
    const auto a = static_cast<double>(p), b = static_cast<double>(q);
    return ((value[q] - value[p]) / (spacing_ * spacing_) + (b * b - a * a)) / (2 * (b - a));
  }

  void push(size_t q) {
    double start = -kInfinity;
    while (count_ > 0) {
      start = crossing(sites_[count_ - 1], q);
      if (start > from_[count_ - 1]) break;
      --count_;
      start = -kInfinity;
    }
    sites_[count_] = q;
    from_[count_++] = start;
  }

  std::vector<size_t> sites_;
  std::vector<double> from_;  // each site is the lowest from here on
  double spacing_;
  size_t count_ = 0;
};

/// Squared distances along one axis, in place, plane by plane.
void transform_axis(std::vector<double>& squared, const Lattice& lattice, int axis) {
  const std::array<int64_t, 3> stride{1, lattice.size[0], lattice.size[0] * lattice.size[1]};
  const auto along = static_cast<size_t>(axis);
  const size_t inner = axis == 0 ? 1 : 0, outer = axis == 2 ? 1 : 2;
  parallel_for(lattice.size[outer], [&](int64_t plane) {
    Envelope line(lattice.size[along], lattice.spacing[along]);
    for (int64_t i = 0; i < lattice.size[inner]; ++i) {
      double* start = &squared[static_cast<size_t>(plane * stride[outer] + i * stride[inner])];
      for (size_t x = 0; x < line.value.size(); ++x)
        line.value[x] = start[static_cast<int64_t>(x) * stride[along]];
      line.build();
      line.heights([&](size_t x, double height) {
        start[static_cast<int64_t>(x) * stride[along]] = height;
      });
    }
  });
}

}  // namespace

std::vector<double> distances_to(std::span<const uint8_t> set, const Lattice& lattice) {
  if (static_cast<int64_t>(set.size()) != lattice.points())
    fail(ErrorCode::kFailed, "a mask of {} voxels was given for a grid of {}.", set.size(),
         lattice.points());
  std::vector<double> squared(set.size());
  std::transform(set.begin(), set.end(), squared.begin(),
                 [](uint8_t inside) { return inside != 0 ? 0 : kInfinity; });
  // In this order the terms of a distance are summed as scipy sums them, to the last bit.
  for (const int axis : {2, 1, 0}) transform_axis(squared, lattice, axis);
  for (double& value : squared) value = std::sqrt(value);
  return squared;
}

}  // namespace vesalius::tasks
