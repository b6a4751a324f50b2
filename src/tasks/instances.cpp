#include "tasks/instances.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_map>

#include "base/error.h"

namespace vesalius::tasks {
namespace {

/// Numbers that stand for the same thing, each known by its smallest.
class Equal {
 public:
  uint32_t add() {
    parent_.push_back(static_cast<uint32_t>(parent_.size()));
    return parent_.back();
  }
  uint32_t root(uint32_t x) {
    while (parent_[x] != x) x = parent_[x] = parent_[parent_[x]];
    return x;
  }
  void join(uint32_t a, uint32_t b) {
    a = root(a), b = root(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<uint32_t> parent_{0};  // 0 is outside
};

/// First pass: a number for every voxel, the same as a neighbour's that came before.
std::vector<uint32_t> provisional(std::span<const uint8_t> mask, const std::array<int64_t, 3>& size,
                                  Equal& equal) {
  const std::array<int64_t, 3> stride{1, size[0], size[0] * size[1]};
  std::vector<uint32_t> labels(mask.size());
  size_t at = 0;
  for (int64_t k = 0; k < size[2]; ++k)
    for (int64_t j = 0; j < size[1]; ++j)
      for (int64_t i = 0; i < size[0]; ++i, ++at) {
        if (mask[at] == 0) continue;
        const std::array<int64_t, 3> here{i, j, k};
        for (size_t axis = 0; axis < 3; ++axis) {
          const uint32_t before =
              here[axis] > 0 ? labels[at - static_cast<size_t>(stride[axis])] : 0;
          if (before == 0) continue;
          if (labels[at] != 0) equal.join(labels[at], before);
          labels[at] = before;
        }
        if (labels[at] == 0) labels[at] = equal.add();
      }
  return labels;
}

/// Objects of both sides, their sizes, and how many voxels each two share.
struct Overlap {
  std::unordered_map<uint32_t, int64_t> truth, prediction;
  std::map<std::pair<uint32_t, uint32_t>, int64_t> shared;
};

Overlap overlap_of(std::span<const uint32_t> truth, std::span<const uint32_t> prediction) {
  Overlap overlap;
  for (size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] != 0) ++overlap.truth[truth[i]];
    if (prediction[i] != 0) ++overlap.prediction[prediction[i]];
    if (truth[i] != 0 && prediction[i] != 0) ++overlap.shared[{truth[i], prediction[i]}];
  }
  return overlap;
}

/// For every true object the predicted ones that it may be paired with.
using Choices = std::map<uint32_t, std::vector<uint32_t>>;

Choices choices_of(const Overlap& overlap, double iou) {
  Choices choices;
  for (const auto& [pair, shared] : overlap.shared) {
    const int64_t either =
        overlap.truth.at(pair.first) + overlap.prediction.at(pair.second) - shared;
    if (static_cast<double>(shared) / static_cast<double>(either) >= iou)
      choices[pair.first].push_back(pair.second);
  }
  return choices;
}

/// Gives `object` a partner, moving others to another of theirs where that helps (Kuhn 1955, for
/// costs that are all alike). From an IoU of 0.5 on nothing has more than two choices.
bool pair_up(uint32_t object, const Choices& choices, std::map<uint32_t, uint32_t>& taken,
             std::vector<uint32_t>& tried) {
  for (const uint32_t choice : choices.at(object)) {
    if (std::find(tried.begin(), tried.end(), choice) != tried.end()) continue;
    tried.push_back(choice);
    const auto holder = taken.find(choice);
    if (holder == taken.end() || pair_up(holder->second, choices, taken, tried)) {
      taken[choice] = object;
      return true;
    }
  }
  return false;
}

}  // namespace

Components connected_components(std::span<const uint8_t> mask, const std::array<int64_t, 3>& size) {
  if (static_cast<int64_t>(mask.size()) != size[0] * size[1] * size[2])
    fail(ErrorCode::kFailed, "a mask of {} voxels was given for a grid of {}.", mask.size(),
         size[0] * size[1] * size[2]);
  Equal equal;
  Components result{provisional(mask, size, equal)};
  std::vector<uint32_t> number;  // by root
  for (uint32_t& label : result.labels) {
    if (label == 0) continue;
    const uint32_t root = equal.root(label);
    if (number.size() <= root) number.resize(root + size_t{1});
    if (number[root] == 0) number[root] = ++result.count;
    label = number[root];
  }
  return result;
}

std::optional<double> InstanceMatch::f1() const {
  const int64_t objects = 2 * matched + missed + invented;
  if (objects == 0) return std::nullopt;
  return 2 * static_cast<double>(matched) / static_cast<double>(objects);
}

InstanceMatch match_instances(std::span<const uint32_t> truth, std::span<const uint32_t> prediction,
                              double iou) {
  if (truth.size() != prediction.size())
    fail(ErrorCode::kFailed, "objects of {} and {} voxels cannot be matched.", truth.size(),
         prediction.size());
  if (!(iou >= 0.5 && iou <= 1))
    fail(ErrorCode::kUsage, "objects are matched from an IoU of 0.5 to 1; {} was asked for.", iou);
  const Overlap overlap = overlap_of(truth, prediction);
  const Choices choices = choices_of(overlap, iou);
  std::map<uint32_t, uint32_t> taken;  // predicted -> true
  for (const auto& [object, ignored] : choices) {
    std::vector<uint32_t> tried;
    pair_up(object, choices, taken, tried);
  }
  InstanceMatch match{.matched = static_cast<int64_t>(taken.size())};
  match.missed = static_cast<int64_t>(overlap.truth.size()) - match.matched;
  match.invented = static_cast<int64_t>(overlap.prediction.size()) - match.matched;
  for (const auto& [predicted, object] : taken)
    match.matched_dice +=
        2 * static_cast<double>(overlap.shared.at({object, predicted})) /
        static_cast<double>(overlap.truth.at(object) + overlap.prediction.at(predicted)) /
        static_cast<double>(taken.size());
  return match;
}

}  // namespace vesalius::tasks
