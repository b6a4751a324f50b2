// Which of a model's tensors a training moves, and the model's tensors made of them.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace vesalius::tasks {

/// What becomes of a tensor: it stays, is trained, or gets an update of low rank (LoRA, arXiv
/// 2106.09685), which ends in the weights.
enum class TensorRole { kFixed, kMoved, kLowRank };
using RoleOf = std::function<TensorRole(const std::string& name, const at::Tensor& value)>;

class TrainedTensors {
 public:
  using Tensors = std::map<std::string, at::Tensor>;

  /// `all` by their published names; `rank` and `seed` of the low-rank updates.
  TrainedTensors(const Tensors& all, const RoleOf& role, int64_t rank, uint64_t seed);

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
