#include "tasks/unicl.h"

#include <cmath>

#include "models/medimageinsight.h"

namespace vesalius::tasks {
namespace {

constexpr double kLargestScale = 100;

/// Mean over the rows that have a truth of -sum_j q_j log softmax(logits)_j.
at::Tensor soft_cross_entropy(const at::Tensor& logits, const at::Tensor& truth) {
  const auto total = truth.sum(1);  // [n]
  const auto weight = truth / total.clamp_min(1).unsqueeze(1);
  const auto loss = -(weight * at::log_softmax(logits, 1)).sum(1);
  return loss.sum() / total.gt(0).sum().clamp_min(1);
}

}  // namespace

at::Tensor unicl_loss(const at::Tensor& images, const at::Tensor& texts, const at::Tensor& truth,
                      const at::Tensor& logit_scale) {
  const auto scale = logit_scale.clamp_max(std::log(kLargestScale)).exp();
  const auto logits =
      scale * at::matmul(models::l2_normalise(images), models::l2_normalise(texts).t());  // [n, m]
  return 0.5 * (soft_cross_entropy(logits, truth) + soft_cross_entropy(logits.t(), truth.t()));
}

}  // namespace vesalius::tasks
