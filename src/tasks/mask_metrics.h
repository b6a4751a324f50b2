// Figures of merit of one predicted mask against the truth.
#pragma once

#include <optional>
#include <span>

#include "media/volume.h"
#include "tasks/instances.h"

namespace vesalius::tasks {

struct MaskMetricOptions {
  double tolerance = 2;       // of the normalised surface Dice, mm
  double instance_iou = 0.5;  // from which an object counts as found
};

/// Where a mask is empty:
///   both           no figure at all: there was nothing to find, and nothing was found
///   only one       Dice, IoU and surface Dice are 0; distances, which would be infinite, have none
/// so that a mean of Dice over cases counts inventions and misses, and one of distances is finite.
struct MaskFigures {
  int64_t truth_voxels = 0, predicted_voxels = 0, shared_voxels = 0;
  double truth_volume = 0, predicted_volume = 0;  // ml
  std::optional<double> dice, iou;
  std::optional<double> hausdorff, hausdorff_95, mean_distance;  // of border voxels, mm
  std::optional<double> surface_dice;                            // of surface elements
  InstanceMatch instances;
};

/// Masks on the same grid; anything but 0 is inside. Distances are in units of the grid's spacing.
/// Objects are the parts that hang together by faces. Error kFailed for masks of another size.
MaskFigures compare_masks(std::span<const uint8_t> truth, std::span<const uint8_t> prediction,
                          const media::Grid& grid, const MaskMetricOptions& options = {});

/// The volume of one voxel in ml.
double voxel_volume(const media::Grid& grid);

}  // namespace vesalius::tasks
