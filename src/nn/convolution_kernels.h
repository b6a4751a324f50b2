// The fast forms of convolutions over channels-last maps: depth-wise 3x3, and the rest as products.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <mutex>

#include "nn/layers.h"
#include "nn/plan.h"

namespace vesalius::nn {

/// A convolution's weight laid out for kernels, made and kept as PackedWeight does.
class PackedConvolution {
 public:
  /// conv(x), plus x itself if `residual`. [batch, height, width, in] -> [batch, height', width',
  /// out]; undefined for groups that are neither one nor depth-wise 3x3 of stride 1.
  at::Tensor run(const KernelTable& kernels, const at::Tensor& x, const Conv2d& conv,
                 bool residual);

 private:
  at::Tensor by_taps(const at::Tensor& weight);

  std::mutex guard_;
  at::Tensor taps_;  // [9, channels] of a depth-wise one
  const void* data_ = nullptr;
  int64_t version_ = 0;
  PackedWeight product_;  // of the others
};

}  // namespace vesalius::nn
