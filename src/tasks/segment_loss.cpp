#include "tasks/segment_loss.h"

namespace vesalius::tasks {
namespace {

constexpr double kPositives = 3, kSmooth = 1e-5;

at::Tensor resized(const at::Tensor& logits, const at::Tensor& truth) {
  const auto x = logits.to(at::kFloat).unsqueeze(1);  // [n, 1, h, w]
  if (logits.sizes() == truth.sizes()) return x.squeeze(1);
  return at::_upsample_bicubic2d_aa(x, truth.sizes().slice(1), /*align_corners=*/false).squeeze(1);
}

/// Cross-entropy and Dice loss of each prompt: [n]
at::Tensor mask_loss(const at::Tensor& logits, const at::Tensor& truth) {
  const auto x = resized(logits, truth);
  const auto entropy = at::binary_cross_entropy_with_logits(x, truth, {}, {}, at::Reduction::None);
  const auto p = x.sigmoid();
  const auto both = (p * truth).sum({1, 2});
  const auto sum = p.square().sum({1, 2}) + truth.square().sum({1, 2});
  return entropy.mean({1, 2}) + 1 - (2 * both + kSmooth) / (sum + kSmooth);
}

}  // namespace

at::Tensor edges_of(const at::Tensor& masks) {
  const auto x = at::replication_pad2d(masks, {1, 1, 1, 1});
  const auto widest = at::max_pool2d(x, 3, 1), narrowest = -at::max_pool2d(-x, 3, 1);
  return (widest > narrowest).to(masks.scalar_type());
}

at::Tensor segment_loss(const Answers& answers, const at::Tensor& truth) {
  const auto exists = truth.flatten(1).amax(1);  // [n]
  const auto weight = at::full({1}, kPositives, exists.options());
  const auto existence = at::binary_cross_entropy_with_logits(
      answers.existence.to(at::kFloat), exists, {}, weight, at::Reduction::None);
  auto masks = mask_loss(answers.masks, truth);
  if (answers.edges.defined()) masks = masks + mask_loss(answers.edges, edges_of(truth));
  return (existence + masks * exists).mean();
}

}  // namespace vesalius::tasks
