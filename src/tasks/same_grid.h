// Whether what two files hold can be taken voxel by voxel.
#pragma once

#include <string>

#include "media/volume.h"

namespace vesalius::tasks {

/// Whether a file told its spacing; otherwise distances are in pixels, and volumes mean nothing.
bool knows_spacing(const media::Grid& grid);

struct NamedGrid {
  const media::Grid& grid;
  std::string name;
};

/// Error kUnsupported unless the voxels of both lie in the same places, as far as the files tell:
/// to a tenth of a voxel, since affines of the same image differ by rounding. `role` is what
/// `other` is to `mask`: "truth", "image".
void check_same_grid(const NamedGrid& mask, const NamedGrid& other, const std::string& role);

}  // namespace vesalius::tasks
