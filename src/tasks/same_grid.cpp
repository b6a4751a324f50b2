#include "tasks/same_grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace vesalius::tasks {
namespace {

using media::Grid;
using media::Vector3;

std::string text_of(const Grid& grid) {
  const auto [i, j, k] = grid.size;
  return fmt::format("{} x {} x {} voxels of {:.4g} x {:.4g} x {:.4g} mm", i, j, k, grid.spacing(0),
                     grid.spacing(1), grid.spacing(2));
}

/// The furthest that a corner of the one lies from that of the other, in voxels.
double shift(const Grid& a, const Grid& b) {
  double furthest = 0;
  for (int corner = 0; corner < 8; ++corner) {
    std::array<double, 3> at{};
    for (int axis = 0; axis < 3; ++axis)
      if ((corner >> axis & 1) != 0)
        at[static_cast<size_t>(axis)] = static_cast<double>(a.size[static_cast<size_t>(axis)] - 1);
    const Vector3 there = b.index_of(a.at(at[0], at[1], at[2]));
    for (size_t axis = 0; axis < 3; ++axis)
      furthest = std::max(furthest, std::abs(there[axis] - at[axis]));
  }
  return furthest;
}

bool same_spacing(const Grid& a, const Grid& b) {
  constexpr double kRelative = 1e-3;
  for (int axis = 0; axis < 3; ++axis)
    if (std::abs(a.spacing(axis) / b.spacing(axis) - 1) > kRelative) return false;
  return true;
}

}  // namespace

bool knows_spacing(const Grid& grid) {
  const Vector3 spacing{grid.spacing(0), grid.spacing(1), grid.spacing(2)};
  return grid.placed || spacing != Vector3{1, 1, 1};
}

void check_same_grid(const NamedGrid& mask, const NamedGrid& other, const std::string& role) {
  constexpr double kShift = 0.1;
  const Grid &a = mask.grid, &b = other.grid;
  const bool told = knows_spacing(a) && knows_spacing(b);
  if (a.size != b.size || (told && !same_spacing(a, b)))
    fail(ErrorCode::kUnsupported,
         "{}: has {}, its {} {} has {}. Both are taken voxel by voxel: save the mask on the grid "
         "of the {}.",
         mask.name, text_of(a), role, other.name, text_of(b), role);
  if (a.placed && b.placed && shift(a, b) > kShift)
    fail(ErrorCode::kUnsupported,
         "{}: lies elsewhere in the patient than its {} {} (by up to {:.3g} voxels; axes {} and "
         "{}). Save the mask on the grid of the {}.",
         mask.name, role, other.name, shift(a, b), a.orientation(), b.orientation(), role);
}

}  // namespace vesalius::tasks
