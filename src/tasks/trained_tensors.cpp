#include "tasks/trained_tensors.h"

#include <cmath>

#include "models/biomedparse.h"
#include "tasks/random.h"

namespace vesalius::tasks {
namespace {

constexpr double kLowRankScale = 2;  // of B A, as alpha / rank of the paper's code

bool is_fixed(const std::string& name) {
  return name.starts_with("pixel_") || models::BiomedParseV1::is_unused(name);
}

}  // namespace

bool is_backbone(const std::string& name) { return name.starts_with("backbone."); }

bool is_text_tower(const std::string& name) {
  return name.find(".language_encoder.") != std::string::npos ||
         name.find(".lang_encoder.") != std::string::npos;
}

TrainedTensors::TrainedTensors(const Tensors& all, TrainedPart part, int64_t rank, uint64_t seed) {
  for (const auto& [name, value] : all) {
    const bool tower = is_backbone(name) || is_text_tower(name);
    const bool low_rank = part == TrainedPart::kLowRank && value.dim() == 2 && !tower &&
                          name.ends_with("weight") && !is_fixed(name);
    const bool stays = is_fixed(name) || (part != TrainedPart::kAll && tower) ||
                       (part == TrainedPart::kLowRank && !low_rank);
    if (low_rank) {
      add_low_rank(name, value, rank, seed);
    } else if (stays) {
      fixed_[name] = value;
    } else {
      moved_.emplace_back(name, value.clone());
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
