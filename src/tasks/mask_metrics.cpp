#include "tasks/mask_metrics.h"

#include <cmath>

#include "base/error.h"
#include "tasks/surface_distance.h"

namespace vesalius::tasks {
namespace {

MaskFigures count_voxels(std::span<const uint8_t> truth, std::span<const uint8_t> prediction) {
  MaskFigures figures;
  for (size_t i = 0; i < truth.size(); ++i) {
    figures.truth_voxels += truth[i] != 0 ? 1 : 0;
    figures.predicted_voxels += prediction[i] != 0 ? 1 : 0;
    figures.shared_voxels += truth[i] != 0 && prediction[i] != 0 ? 1 : 0;
  }
  return figures;
}

double share(int64_t part, int64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

double voxel_volume(const media::Grid& grid) {
  constexpr double kCubicMillimetres = 1000;  // in 1 ml
  const auto& step = grid.step;
  return std::abs(media::dot(media::cross(step[0], step[1]), step[2])) / kCubicMillimetres;
}

MaskFigures compare_masks(std::span<const uint8_t> truth, std::span<const uint8_t> prediction,
                          const media::Grid& grid, const MaskMetricOptions& options) {
  if (truth.size() != prediction.size() || static_cast<int64_t>(truth.size()) != grid.voxels())
    fail(ErrorCode::kFailed, "masks of {} and {} voxels were given for a grid of {}.", truth.size(),
         prediction.size(), grid.voxels());
  MaskFigures figures = count_voxels(truth, prediction);
  figures.truth_volume = static_cast<double>(figures.truth_voxels) * voxel_volume(grid);
  figures.predicted_volume = static_cast<double>(figures.predicted_voxels) * voxel_volume(grid);
  const int64_t both = figures.truth_voxels + figures.predicted_voxels;
  if (both == 0) return figures;
  figures.dice = share(2 * figures.shared_voxels, both);
  figures.iou = share(figures.shared_voxels, both - figures.shared_voxels);
  const SurfacePair borders = border_voxels(truth, prediction, grid);
  figures.hausdorff = hausdorff_distance(borders);
  figures.hausdorff_95 = hausdorff_distance(borders, 95);
  figures.mean_distance = mean_surface_distance(borders);
  figures.surface_dice = surface_dice(surface_elements(truth, prediction, grid), options.tolerance);
  figures.instances =
      match_instances(connected_components(truth, grid.size).labels,
                      connected_components(prediction, grid.size).labels, options.instance_iou);
  return figures;
}

}  // namespace vesalius::tasks
