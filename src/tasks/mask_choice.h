// Which of the masks that several prompts gave are kept, and which of them gets a pixel: what
// BiomedParse's published code does behind its models.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace vesalius::tasks {

/// Version 1: one target's probabilities over an image.
struct TargetMask {
  std::span<const float> probability;
  double p_value = 0;  // the existence statistic
};

/// Indices of the masks that remain, the most usual first, when each that lies by more than half of
/// its own area (probability > 0.5) in one kept before, or has no area, is dropped
/// (non_maxima_suppression).
std::vector<size_t> keep_most_usual(const std::vector<TargetMask>& masks);

/// One binary mask for each of `masks`, no pixel in two of them; one that is dropped is empty in
/// `kept` and all 0 (combine_masks). Pixels above 0.1 vote for the target of the highest
/// probability; a target left with less than half of its area is dropped, unless its mean is the
/// highest of all; the rest share the pixels above 0.5. Of equals the first counts. Error kFailed
/// for masks of different sizes.
struct CombinedMasks {
  std::vector<std::vector<uint8_t>> masks;
  std::vector<bool> kept;
};
CombinedMasks combine_masks(const std::vector<std::span<const float>>& masks);

/// Version 2: probabilities of every prompt in every slice, [prompts, slices, pixels], and how
/// surely each is there, [prompts, slices]; both after the sigmoid.
struct MaskStack {
  int64_t prompts = 0, slices = 0, pixels = 0;
  std::span<const float> probability, existence;
  std::span<const float> mask(int64_t prompt, int64_t slice) const {
    return probability.subspan(static_cast<size_t>((prompt * slices + slice) * pixels),
                               static_cast<size_t>(pixels));
  }
  float score(int64_t prompt, int64_t slice) const {
    return existence[static_cast<size_t>(prompt * slices + slice)];
  }
};

/// Whether each prompt's mask of each slice is kept, [prompts, slices]. A single prompt: where its
/// existence is above `threshold`. Several: greedily by existence from `threshold` on; empty ones
/// are left out, and those whose IoU with a kept one is above 0.5 (slice_nms). Of equal existence
/// the first counts. Error kFailed for spans of other sizes.
std::vector<uint8_t> kept_slices(const MaskStack& stack, float threshold = 0.5F);

/// One label a voxel, [slices, pixels]: the id of the prompt of the highest probability among those
/// kept, 0 where none is above 0.5 (merge_multiclass_masks). Of equals the first counts.
std::vector<uint16_t> merge_labels(const MaskStack& stack, std::span<const uint8_t> kept,
                                   std::span<const uint16_t> ids);

}  // namespace vesalius::tasks
