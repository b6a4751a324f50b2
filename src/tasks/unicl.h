// The UniCL objective: image-text-label contrast in one space (arXiv 2204.03610).
#pragma once

#include <ATen/ATen.h>

namespace vesalius::tasks {

/// Two-way cross-entropy on exp(logit_scale) * images @ texts^T.
///   images [n, d], texts [m, d]: not yet normalised; truth [n, m]: 1 where text j is true of image
///   i.
/// Rows (and columns) of the truth are scaled to sum to one; a row or column without any truth does
/// not count. With equality of labels as truth this is the published loss. exp(logit_scale) is held
/// below 100, as in CLIP.
at::Tensor unicl_loss(const at::Tensor& images, const at::Tensor& texts, const at::Tensor& truth,
                      const at::Tensor& logit_scale);

}  // namespace vesalius::tasks
