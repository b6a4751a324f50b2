// Stochastic depth of training (Huang et al., arXiv 1603.09382), shared by the image towers.
#pragma once

#include <ATen/ATen.h>

#include <functional>

namespace vesalius::models {

/// Scales what a residual branch adds, per sample of [batch, tokens, dim]. Empty in inference.
/// `rate` is that of the branch.
using DropPath = std::function<at::Tensor(const at::Tensor& branch, double rate)>;

}  // namespace vesalius::models
