#include "tasks/evaluate_segment.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "tasks/intervals.h"
#include "tasks/mask_files.h"
#include "tasks/same_grid.h"

namespace vesalius::tasks {
namespace {

using media::Grid;
using media::LabelVolume;
using media::Vector3;

/// The grid to measure on: the truth's, unless it does not know its spacing, or another is told.
Grid measuring_grid(const LabelVolume& prediction, const LabelVolume& truth,
                    const std::optional<Vector3>& spacing) {
  if (!spacing) return knows_spacing(truth.grid) ? truth.grid : prediction.grid;
  Grid grid;
  grid.size = truth.grid.size;
  for (size_t axis = 0; axis < 3; ++axis) grid.step[axis][axis] = (*spacing)[axis];
  return grid;
}

/// Targets to look for in a pair; label 0 stands for any value but 0.
std::vector<TargetLabel> targets_of(const MaskPair& pair, const LabelVolume& prediction,
                                    const LabelVolume& truth, const SegmentEvaluation& evaluation) {
  if (evaluation.values != MaskValues::kLabels)
    return {{0, pair.target.empty() ? "mask" : pair.target}};
  std::vector<TargetLabel> targets = evaluation.labels;
  if (targets.empty()) {
    std::set<uint16_t> values(truth.labels.begin(), truth.labels.end());
    values.insert(prediction.labels.begin(), prediction.labels.end());
    for (const uint16_t value : values)
      if (value != 0) targets.push_back({value, std::to_string(value)});
  }
  if (pair.target.empty()) return targets;
  std::erase_if(targets, [&](const TargetLabel& t) { return t.name != pair.target; });
  if (targets.empty())
    fail(ErrorCode::kUnsupported, "{}: its target '{}' is none of the labels.", pair.truth,
         pair.target);
  return targets;
}

std::vector<uint8_t> mask_of(const std::vector<uint16_t>& labels, uint16_t label) {
  std::vector<uint8_t> mask(labels.size());
  std::transform(labels.begin(), labels.end(), mask.begin(), [&](uint16_t value) {
    return static_cast<uint8_t>(label == 0 ? value != 0 : value == label);
  });
  return mask;
}

std::vector<uint32_t> objects_of(const LabelVolume& volume) {
  return {volume.labels.begin(), volume.labels.end()};
}

}  // namespace

std::vector<SegmentCase> evaluate_pair(const MaskPair& pair, size_t number,
                                       const SegmentEvaluation& evaluation) {
  const LabelVolume prediction = read_mask(pair.prediction), truth = read_mask(pair.truth);
  check_same_grid({prediction.grid, pair.prediction}, {truth.grid, pair.truth}, "truth");
  const auto& spacing = pair.spacing ? pair.spacing : evaluation.spacing;
  const Grid grid = measuring_grid(prediction, truth, spacing);
  std::vector<SegmentCase> cases;
  for (const auto& target : targets_of(pair, prediction, truth, evaluation)) {
    SegmentCase one{number, pair.prediction, pair.truth, target.name, knows_spacing(grid), {}};
    one.figures = compare_masks(mask_of(truth.labels, target.label),
                                mask_of(prediction.labels, target.label), grid, evaluation.metrics);
    if (evaluation.values == MaskValues::kObjects)
      one.figures.instances = match_instances(objects_of(truth), objects_of(prediction),
                                              evaluation.metrics.instance_iou);
    cases.push_back(std::move(one));
  }
  return cases;
}

}  // namespace vesalius::tasks
