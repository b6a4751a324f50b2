// DaViT with the channel attention of Florence-2 and MedImageInsight (microsoft/UniCL, arXiv 2204.03645).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "checkpoint/weights.h"
#include "nn/layers.h"

namespace vesalius::models {

struct DaVitConfig {
  std::vector<int64_t> dims{256, 512, 1024, 2048}, depths{1, 1, 9, 1};
  std::vector<int64_t> heads{8, 16, 32, 64}, groups{8, 16, 32, 64};
  std::vector<int64_t> patch_size{7, 3, 3, 3}, patch_stride{4, 2, 2, 2}, patch_padding{3, 1, 1, 1};
  std::vector<bool> patch_prenorm{false, true, true, true};
  int64_t window = 12;
  double drop_path = 0.2;
};

/// Stochastic depth of training: scales what a residual branch adds, [batch, 1, 1] per sample.
/// Empty in inference. `rate` is that of the branch.
using DropPath = std::function<at::Tensor(const at::Tensor& branch, double rate)>;

// The engine fills in the layers.
struct DaVit;

}  // namespace vesalius::models
