#include "tasks/trained_tensors.h"

#include <cmath>

#include "tasks/random.h"

namespace vesalius::tasks {
namespace {

constexpr double kLowRankScale = 2;  // of B A, as alpha / rank of the paper's code

}  // namespace

TrainedTensors::TrainedTensors(const Tensors& all, const RoleOf& role, int64_t rank,
                               uint64_t seed) {
  for (const auto& [name, value] : all) {
    switch (role(name, value)) {
      case TensorRole::kFixed:
        fixed_[name] = value;
        break;
      case TensorRole::kMoved:
        moved_.emplace_back(name, value.clone());
        break;
      case TensorRole::kLowRank:
        add_low_rank(name, value, rank, seed);
        break;
    }
  }
}

TrainedTensors::Tensors TrainedTensors::whole(const Tensors& moved) const {
  Tensors all = fixed_;
  for (const auto& [name, value] : moved) {
    const auto base = base_.find(name.substr(0, name.rfind(".low_rank_")));
    if (base == base_.end())
      all[name] = value;
    else if (name.ends_with("a"))
      all[base->first] =
          base->second + kLowRankScale * at::matmul(moved.at(base->first + ".low_rank_b"), value);
  }
  return all;
}

/// W + scale B A: A begins at random, B at zero.
void TrainedTensors::add_low_rank(const std::string& name, const at::Tensor& value, int64_t rank,
                                  uint64_t seed) {
  KeyedRandom key({seed, static_cast<uint64_t>(base_.size())});
  const auto generator = at::detail::createCPUGenerator(key.next());
  const double deviation = 1 / std::sqrt(static_cast<double>(value.size(1)));
  base_[name] = value;
  moved_.emplace_back(name + ".low_rank_a",
                      at::empty({rank, value.size(1)}).normal_(0, deviation, generator));
  moved_.emplace_back(name + ".low_rank_b", at::zeros({value.size(0), rank}));
}

}  // namespace vesalius::tasks
