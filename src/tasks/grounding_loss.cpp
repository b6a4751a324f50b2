#include "tasks/grounding_loss.h"

#include <c10/core/GradMode.h>

#include <span>

#include "base/error.h"
#include "tasks/assignment.h"

namespace vesalius::tasks {
namespace {

constexpr int64_t kPoints = 12544, kOversample = 3, kUncertain = kPoints * 3 / 4;
constexpr double kClassCost = 2, kMaskCost = 5, kDiceCost = 5;
constexpr double kChoice = 0.4 * 2;  // the branch's weight times that of words

/// Values of maps [n, h, w] at points [n, points, 2] or [1, points, 2]: [n, points]
at::Tensor at_points(const at::Tensor& maps, const at::Tensor& points) {
  const auto grid = (2 * points - 1).unsqueeze(2).expand({maps.size(0), -1, 1, 2});
  return at::grid_sampler(maps.unsqueeze(1), grid, /*bilinear*/ 0, /*zeros outside*/ 0,
                          /*align_corners=*/false)
      .squeeze(3)
      .squeeze(1);
}

at::Tensor float_of(const at::Tensor& x) { return x.to(at::kFloat); }

/// Every query with every prompt, from their values at the same points: [queries, prompts]
at::Tensor mask_costs(const at::Tensor& logits, const at::Tensor& truth) {
  const auto inside = at::softplus(-logits), outside = at::softplus(logits);
  const auto entropy = (at::matmul(inside, truth.t()) + at::matmul(outside, (1 - truth).t())) /
                       static_cast<double>(logits.size(1));
  const auto p = logits.sigmoid();
  const auto both = 2 * at::matmul(p, truth.t());
  const auto sum = p.sum(1).unsqueeze(1) + truth.sum(1).unsqueeze(0);
  return kMaskCost * entropy + kDiceCost * (1 - (both + 1) / (sum + 1));
}

/// The points of each mask [n, h, w] that its losses are taken at: [n, points, 2]
at::Tensor loss_points(const at::Tensor& masks, const models::Uniforms& draws) {
  const int64_t n = masks.size(0);
  const auto drawn = draws({n, kOversample * kPoints, 2});
  const auto doubt = -at_points(masks, drawn).abs();
  const auto chosen = std::get<1>(doubt.topk(kUncertain, 1)).unsqueeze(2).expand({n, -1, 2});
  return at::cat({drawn.gather(1, chosen), draws({n, kPoints - kUncertain, 2})}, 1);
}

/// Cross-entropy and Dice loss of masks and their truths, means over them.
at::Tensor mask_loss(const at::Tensor& masks, const at::Tensor& truth,
                     const models::Uniforms& draws) {
  at::Tensor points, wanted;
  {
    const c10::NoGradGuard no_grad;
    points = loss_points(masks, draws);
    wanted = at_points(truth, points);
  }
  const auto logits = at_points(masks, points);
  const auto p = logits.sigmoid();
  const auto dice = 1 - (2 * (p * wanted).sum(1) + 1) / (p.sum(1) + wanted.sum(1) + 1);
  return at::binary_cross_entropy_with_logits(logits, wanted) + dice.mean();
}

/// Cross-entropy of each prompt's choice among the queries; those without a query count as none.
at::Tensor choice_loss(const at::Tensor& scores, const at::Tensor& prompts,
                       const at::Tensor& queries) {
  const auto chances = float_of(scores).log_softmax(1);  // [prompts, queries]
  return -chances.index({prompts, queries}).sum() / static_cast<double>(scores.size(0));
}

at::Tensor layer_loss(const std::vector<GroundedImage>& images, size_t layer,
                      const models::Uniforms& draws) {
  std::vector<at::Tensor> masks, truths, choices;
  for (const GroundedImage& image : images) {
    const auto& answers = image.layers[layer];
    const auto truth = float_of(image.truth);
    std::vector<int64_t> matched_queries, matched_prompts;
    for (const auto& [query, prompt] : match_queries(answers, truth, draws({1, kPoints, 2})))
      matched_queries.push_back(query), matched_prompts.push_back(prompt);
    const auto queries = at::tensor(matched_queries), prompts = at::tensor(matched_prompts);
    masks.push_back(float_of(answers.masks).index_select(0, queries));
    truths.push_back(truth.index_select(0, prompts));
    choices.push_back(choice_loss(answers.scores, prompts, queries));
  }
  return mask_loss(at::cat(masks), at::cat(truths), draws) + kChoice * at::stack(choices).mean();
}

}  // namespace

std::vector<std::pair<int64_t, int64_t>> match_queries(const models::QueryMasks& answers,
                                                       const at::Tensor& truth,
                                                       const at::Tensor& points) {
  const c10::NoGradGuard no_grad;
  const auto masks = at_points(float_of(answers.masks), points);
  const auto costs = mask_costs(masks, at_points(float_of(truth), points)) -
                     kClassCost * float_of(answers.scores).softmax(1).t();
  const auto table = costs.to(at::kDouble).contiguous();  // [queries, prompts]
  if (!table.isfinite().all().item<bool>())
    fail(ErrorCode::kFailed, "training diverged (a mask is not a number). Lower --learning-rate.");
  const std::span all(table.const_data_ptr<double>(), static_cast<size_t>(table.numel()));
  return cheapest_assignment(all, table.size(0), table.size(1));
}

at::Tensor grounding_loss(const std::vector<GroundedImage>& images, const models::Uniforms& draws) {
  at::Tensor sum = at::zeros({});
  for (size_t layer = images.front().layers.size(); layer-- > 0;)
    sum = sum + layer_loss(images, layer, draws);
  return sum;
}

}  // namespace vesalius::tasks
