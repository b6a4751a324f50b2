// The loss that BiomedParse v2 is trained with (src/losses/biomedparse_loss.py of its repository).
#pragma once

#include <ATen/ATen.h>

namespace vesalius::tasks {

/// What a batch of prompts was answered, and what is true.
struct Answers {
  at::Tensor masks;      // [n, h, w], logits; resized to the truth's size, bicubic, antialiased
  at::Tensor edges;      // the same, or undefined
  at::Tensor existence;  // [n], logits
};

/// Mean over prompts of: binary cross-entropy of existence, positives three times; where the target
/// exists, cross-entropy and Dice loss (squared denominators) of the mask, and of its edge.
/// `truth` [n, height, width], 0 or 1.
at::Tensor segment_loss(const Answers& answers, const at::Tensor& truth);

/// Pixels whose 3x3 neighbourhood holds both. [n, height, width] -> the same, 0 or 1
at::Tensor edges_of(const at::Tensor& masks);

}  // namespace vesalius::tasks
