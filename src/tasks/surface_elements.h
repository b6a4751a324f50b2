// How much surface passes between 2 x 2 x 2 voxels.
#pragma once

#include <array>

#include "media/volume.h"

namespace vesalius::tasks {

/// Bit x + 2 * y + 4 * z of a code says whether the voxel at column x, row y, slice z of a 2 x 2 x
/// 2 neighbourhood is inside.
using SurfaceTable = std::array<double, 256>;

/// Area in mm^2 of the surface through every neighbourhood, by its code: triangles between the
/// middles of the cube's edges, as marching cubes draw them (Lorensen and Cline 1987). The choices
/// that are left open there are made as in the table of S. Nikolov et al., "Deep learning to
/// achieve clinically applicable segmentation of head and neck anatomy", 2018 (package
/// surface-distance), whose areas these are.
SurfaceTable surface_areas(const media::Vector3& spacing);

/// Length in mm of the outline through 2 x 2 pixels; codes of the slice z = 0 alone, 0 to 15.
SurfaceTable outline_lengths(const media::Vector3& spacing);

}  // namespace vesalius::tasks
