// Objects in masks: found, counted, and matched between truth and prediction.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace vesalius::tasks {

/// Parts of a mask that hang together by faces of voxels (scikit-image's label(connectivity=1)),
/// numbered from 1 in the order of their first voxels; 0 is outside.
struct Components {
  std::vector<uint32_t> labels;
  uint32_t count = 0;
};
Components connected_components(std::span<const uint8_t> mask, const std::array<int64_t, 3>& size);

struct InstanceMatch {
  int64_t matched = 0, missed = 0, invented = 0;
  double matched_dice = 0;  // mean over matched objects, 0 where there is none
  /// 2 matched / (objects of both); nothing when neither has an object.
  std::optional<double> f1() const;
};

/// The assignment of predicted to true objects (equal numbers, 0 outside) with the most pairs of an
/// IoU of at least `iou`, each object in one pair at most, as by the Hungarian method on the costs
/// of the CVPR 2025 challenge. Error kUsage for an `iou` below 0.5: from there on the pairs, and so
/// their Dice, are the same whichever assignment is taken.
InstanceMatch match_instances(std::span<const uint32_t> truth, std::span<const uint32_t> prediction,
                              double iou = 0.5);

}  // namespace vesalius::tasks
