#include "tasks/mask_choice.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/parallel.h"

namespace vesalius::tasks {
namespace {

using Probabilities = std::span<const float>;
constexpr float kInside = 0.5F, kVotes = 0.1F;

struct Overlap {
  int64_t shared = 0, either = 0;
};

Overlap overlap(Probabilities a, Probabilities b) {
  Overlap count;
  for (size_t i = 0; i < a.size(); ++i) {
    count.shared += a[i] > kInside && b[i] > kInside ? 1 : 0;
    count.either += a[i] > kInside || b[i] > kInside ? 1 : 0;
  }
  return count;
}

int64_t area(Probabilities mask) {
  return std::count_if(mask.begin(), mask.end(), [](float p) { return p > kInside; });
}

/// 0 … count - 1, by falling score, equal ones in order.
template <class Score>
std::vector<size_t> by_score(size_t count, const Score& score) {
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return score(a) > score(b); });
  return order;
}

/// What a target has in the vote of version 1.
struct Votes {
  int64_t pixels = 0, won = 0;
  float mean = 0;
};

constexpr size_t kNobody = ~size_t{0};

/// The first mask of the highest probability above `least` at a pixel, among those `allowed`.
size_t winner(const std::vector<Probabilities>& masks, const std::vector<bool>& allowed,
              size_t pixel, float least) {
  size_t best = kNobody;
  for (size_t t = 0; t < masks.size(); ++t) {
    const float p = masks[t][pixel];
    if (allowed[t] && p > least && (best == kNobody || p > masks[best][pixel])) best = t;
  }
  return best;
}

std::vector<Votes> vote(const std::vector<Probabilities>& masks) {
  std::vector<Votes> votes(masks.size());
  const std::vector<bool> all(masks.size(), true);
  for (size_t t = 0; t < masks.size(); ++t) {
    // Summed in float32, pixel by pixel, as the published code does: near ties follow it.
    for (const float p : masks[t])
      if (p > kVotes) votes[t].mean += p, ++votes[t].pixels;
    if (votes[t].pixels > 0) votes[t].mean /= static_cast<float>(votes[t].pixels);
  }
  for (size_t i = 0; i < masks[0].size(); ++i) {
    const size_t best = winner(masks, all, i, kVotes);
    if (best != kNobody) ++votes[best].won;
  }
  return votes;
}

std::vector<bool> kept_by_vote(const std::vector<Votes>& votes) {
  const auto surest = std::max_element(
      votes.begin(), votes.end(), [](const Votes& a, const Votes& b) { return a.mean < b.mean; });
  std::vector<bool> kept;
  for (auto it = votes.begin(); it != votes.end(); ++it)
    kept.push_back(it == surest || 2 * it->won >= it->pixels);
  return kept;
}

void check_stack(const MaskStack& stack) {
  const int64_t masks = stack.prompts * stack.slices;
  if (static_cast<int64_t>(stack.existence.size()) != masks ||
      static_cast<int64_t>(stack.probability.size()) != masks * stack.pixels)
    fail(ErrorCode::kFailed,
         "{} probabilities and {} existence scores do not make {} prompts x {} slices x {} pixels.",
         stack.probability.size(), stack.existence.size(), stack.prompts, stack.slices,
         stack.pixels);
}

/// Prompts whose masks of a slice are kept.
std::vector<int64_t> suppress(const MaskStack& stack, int64_t slice, float threshold) {
  std::vector<int64_t> kept;
  const auto score = [&](size_t p) { return stack.score(static_cast<int64_t>(p), slice); };
  for (const size_t index : by_score(static_cast<size_t>(stack.prompts), score)) {
    const auto prompt = static_cast<int64_t>(index);
    if (!(stack.score(prompt, slice) >= threshold)) break;
    const Probabilities mask = stack.mask(prompt, slice);
    const auto covers = [&](int64_t other) {
      const Overlap count = overlap(stack.mask(other, slice), mask);
      return 2 * count.shared > count.either;
    };
    if (area(mask) > 0 && std::none_of(kept.begin(), kept.end(), covers)) kept.push_back(prompt);
  }
  return kept;
}

}  // namespace

std::vector<size_t> keep_most_usual(const std::vector<TargetMask>& masks) {
  std::vector<size_t> kept;
  for (const size_t i : by_score(masks.size(), [&](size_t t) { return masks[t].p_value; })) {
    const Probabilities mask = masks[i].probability;
    const int64_t own = area(mask);
    const bool covered = std::any_of(kept.begin(), kept.end(), [&](size_t other) {
      return 2 * overlap(mask, masks[other].probability).shared > own;
    });
    if (own > 0 && !covered) kept.push_back(i);
  }
  return kept;
}

CombinedMasks combine_masks(const std::vector<Probabilities>& masks) {
  if (masks.empty()) return {};
  for (const auto& mask : masks)
    if (mask.size() != masks[0].size())
      fail(ErrorCode::kFailed, "masks of {} and {} pixels cannot share an image.", mask.size(),
           masks[0].size());
  CombinedMasks result{.kept = kept_by_vote(vote(masks))};
  result.masks.assign(masks.size(), std::vector<uint8_t>(masks[0].size()));
  for (size_t i = 0; i < masks[0].size(); ++i) {
    const size_t best = winner(masks, result.kept, i, kInside);
    if (best != kNobody) result.masks[best][i] = 1;
  }
  return result;
}

std::vector<uint8_t> kept_slices(const MaskStack& stack, float threshold) {
  check_stack(stack);
  std::vector<uint8_t> kept(stack.existence.size());
  if (stack.prompts == 1) {
    for (size_t i = 0; i < kept.size(); ++i) kept[i] = stack.existence[i] > threshold ? 1 : 0;
    return kept;
  }
  parallel_for(stack.slices, [&](int64_t slice) {
    for (const int64_t prompt : suppress(stack, slice, threshold))
      kept[static_cast<size_t>(prompt * stack.slices + slice)] = 1;
  });
  return kept;
}

std::vector<uint16_t> merge_labels(const MaskStack& stack, std::span<const uint8_t> kept,
                                   std::span<const uint16_t> ids) {
  check_stack(stack);
  if (kept.size() != stack.existence.size() || static_cast<int64_t>(ids.size()) != stack.prompts)
    fail(ErrorCode::kFailed, "{} prompts were given {} ids and {} choices.", stack.prompts,
         ids.size(), kept.size());
  std::vector<uint16_t> labels(static_cast<size_t>(stack.slices * stack.pixels));
  parallel_for(stack.slices, [&](int64_t slice) {
    std::vector<float> best(static_cast<size_t>(stack.pixels), kInside);  // of the background
    for (int64_t prompt = 0; prompt < stack.prompts; ++prompt) {
      if (kept[static_cast<size_t>(prompt * stack.slices + slice)] == 0) continue;
      const Probabilities mask = stack.mask(prompt, slice);
      for (size_t i = 0; i < best.size(); ++i) {
        if (!(mask[i] > best[i])) continue;
        best[i] = mask[i];
        labels[static_cast<size_t>(slice * stack.pixels) + i] = ids[static_cast<size_t>(prompt)];
      }
    }
  });
  return labels;
}

}  // namespace vesalius::tasks
