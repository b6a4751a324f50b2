#include "models/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "base/error.h"

namespace vesalius::models {
namespace {

double log_sum(std::span<const float> logits, float largest) {
  double sum = 0;
  for (const float x : logits) sum += std::exp(static_cast<double>(x) - largest);
  return largest + std::log(sum);
}

}  // namespace

Sampler::Sampler(const Sampling& sampling) : sampling_(sampling), generator_(sampling.seed) {
  if (!(sampling.temperature >= 0))
    fail(ErrorCode::kUsage, "The temperature {} is negative; use 0 for the likeliest text.",
         sampling.temperature);
  if (!(sampling.top_p > 0 && sampling.top_p <= 1))
    fail(ErrorCode::kUsage, "top_p is {}; it is a share, above 0 and at most 1.", sampling.top_p);
}

Step Sampler::operator()(const at::Tensor& scores, std::optional<int32_t> forced) {
  Step step{.logits = scores.detach().to(at::kCPU, at::kFloat).contiguous()};
  const std::span logits(step.logits.const_data_ptr<float>(),
                         static_cast<size_t>(step.logits.numel()));
  const auto best = std::ranges::max_element(logits);
  const double total = log_sum(logits, *best);
  if (!std::isfinite(total))
    fail(ErrorCode::kModel,
         "The language model gave scores that are no numbers; its weights are damaged, or not of "
         "this architecture.");
  if (forced)
    step.id = *forced;
  else if (sampling_.temperature == 0)
    step.id = static_cast<int32_t>(best - logits.begin());
  else
    step.id = draw(logits.data(), std::ssize(logits), *best);
  step.log_prob = static_cast<float>(logits[static_cast<size_t>(step.id)] - total);
  return step;
}

/// By the inverse of the cumulated probabilities, the likeliest first, so that the same number
/// falls on the same token wherever sums are rounded alike.
int32_t Sampler::draw(const float* logits, int64_t count, float largest) {
  std::vector<double> weights(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i)
    weights[static_cast<size_t>(i)] =
        std::exp((static_cast<double>(logits[i]) - largest) / sampling_.temperature);
  std::vector<int32_t> order(weights.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::greater(), [&](int32_t i) { return weights[i]; });
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  double kept = 0;
  size_t last = 0;  // the smallest set that has top_p together
  while (last < order.size() && kept < sampling_.top_p * total) kept += weights[order[last++]];
  const double drawn = static_cast<double>(generator_() >> 11) * 0x1p-53 * kept;
  double sum = 0;
  for (size_t i = 0; i < last; ++i)
    if ((sum += weights[order[i]]) > drawn) return order[i];
  return order[last - 1];
}

}  // namespace vesalius::models
