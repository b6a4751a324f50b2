// Which of a segmentation model's tensors a training moves, and the model's tensors made of them.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace vesalius::tasks {

/// What is trained: everything, what lies behind the backbone and the text tower, or an update of
/// low rank of every matrix of these (LoRA, arXiv 2106.09685), which ends in the weights.
enum class TrainedPart { kAll, kDecoder, kLowRank };

bool is_backbone(const std::string& name);
bool is_text_tower(const std::string& name);  // with its projection, in either version

/// Fixed in any case: means and deviations of pixels, and what no pass asks for in version 1.
class TrainedTensors {
 public:
  using Tensors = std::map<std::string, at::Tensor>;

  /// `all` by their published names; `rank` and `seed` of the low-rank updates.
  TrainedTensors(const Tensors& all, TrainedPart part, int64_t rank, uint64_t seed);

  const std::vector<std::pair<std::string, at::Tensor>>& moved() const { return moved_; }
  /// The model's tensors from the optimiser's, which may be smoothed ones.
  Tensors whole(const Tensors& moved) const;
  Tensors whole() const { return whole({moved_.begin(), moved_.end()}); }

 private:
  void add_low_rank(const std::string& name, const at::Tensor& value, int64_t rank, uint64_t seed);

  Tensors fixed_, base_;
  std::vector<std::pair<std::string, at::Tensor>> moved_;
};

}  // namespace vesalius::tasks
