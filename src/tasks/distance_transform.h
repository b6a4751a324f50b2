// The exact Euclidean distance transform on an anisotropic grid.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "media/volume.h"

namespace vesalius::tasks {

/// Points on a regular grid, columns fastest: point (i, j, k) is number i + size[0] * (j + size[1]
/// * k).
struct Lattice {
  std::array<int64_t, 3> size{};
  media::Vector3 spacing{1, 1, 1};  // mm
  int64_t points() const { return size[0] * size[1] * size[2]; }
};

/// The distance of every point to the nearest one of `set` (anything but 0), in mm; infinite where
/// the set is empty. Linear in the points: Felzenszwalb and Huttenlocher, "Distance transforms of
/// sampled functions", 2012, along slices, then rows, then columns, on all cores.
std::vector<double> distances_to(std::span<const uint8_t> set, const Lattice& lattice);

}  // namespace vesalius::tasks
