// Distances between the surfaces of two masks on the same grid.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "media/volume.h"

namespace vesalius::tasks {

/// Points of one mask's surface: the distance of each to the other surface in mm (infinite if there
/// is none), and how much surface it stands for.
struct SurfacePoints {
  std::vector<double> distance, weight;
};

struct SurfacePair {
  SurfacePoints truth, prediction;
  /// Whether both masks have a surface; without it there is no distance.
  bool meet() const { return !truth.distance.empty() && !prediction.distance.empty(); }
};

/// Voxels (anything but 0 is inside) of which a neighbour along an axis is outside; beyond the grid
/// is outside. Each weighs 1. As MedPy, MONAI and most papers measure.
SurfacePair border_voxels(std::span<const uint8_t> truth, std::span<const uint8_t> prediction,
                          const media::Grid& grid);

/// Corners between voxels that are not all alike, weighing as much area (mm^2) as passes through
/// them; in a single slice outline (mm). As DeepMind's surface-distance, by which the challenges'
/// normalised surface Dice is defined.
SurfacePair surface_elements(std::span<const uint8_t> truth, std::span<const uint8_t> prediction,
                             const media::Grid& grid);

/// Percentile (0 to 100, linear between neighbours) of all points' distances together, unweighted,
/// as MedPy's hd95; 100: the Hausdorff distance. Nothing unless the surfaces meet.
std::optional<double> hausdorff_distance(const SurfacePair& pair, double percentile = 100);

/// The weighted mean of all points' distances together (ASSD: Heimann et al., "Comparison and
/// evaluation of methods for liver segmentation", 2009). Nothing unless the surfaces meet.
std::optional<double> mean_surface_distance(const SurfacePair& pair);

/// Normalised surface Dice: the share of both surfaces' weight that is within `tolerance` mm of the
/// other. 0 where one mask is empty; nothing where both are.
std::optional<double> surface_dice(const SurfacePair& pair, double tolerance);

}  // namespace vesalius::tasks
