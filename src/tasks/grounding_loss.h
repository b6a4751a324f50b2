// The loss that BiomedParse v1 is trained with on images, words and masks: the grounding part of
// its published training (loss_groundings of modeling/modules/criterion.py, grounding_forward of
// matcher.py in microsoft/BiomedParse; weights of configs/biomed_seg_lang_v1.yaml).
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "models/biomedparse.h"

namespace vesalius::tasks {

/// What the queries of one image answered behind every layer, and what is true.
struct GroundedImage {
  std::vector<models::QueryMasks> layers;  // from before the first layer to behind the last
  at::Tensor truth;                        // [prompts, height, width], 0 or 1; different prompts
};

/// Pairs (query, prompt) by query, as many as there are of the fewer: the assignment with the least
/// 2 * class + 5 * cross-entropy + 5 * Dice, the masks looked at in `points` [1, n, 2], x and y
/// from 0 to 1. Error kFailed where a mask is not a number.
std::vector<std::pair<int64_t, int64_t>> match_queries(const models::QueryMasks& answers,
                                                       const at::Tensor& truth,
                                                       const at::Tensor& points);

/// Sum over layers, the last one first, of the matched masks' binary cross-entropy and Dice loss,
/// each a mean over all masks, and 0.8 times the cross-entropy of choosing each prompt's query, a
/// mean over an image's prompts and then over images. Masks are looked at in 12,544 points: three
/// quarters are the least certain ones of 37,632 (PointRend, arXiv 1912.08193). `draws` gives all
/// points: a layer's [1, 12544, 2] for matching, an image each, [masks, 37632, 2] and
/// [masks, 3136, 2].
at::Tensor grounding_loss(const std::vector<GroundedImage>& images, const models::Uniforms& draws);

}  // namespace vesalius::tasks
