// The fast forms of convolutions over channels-last maps: depth-wise ones, and the rest as
// products.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <mutex>

#include "nn/layers.h"
#include "nn/plan.h"

namespace vesalius::nn {

/// What else a convolution does while its sums are at hand.
struct ConvEpilogue {
  bool residual = false, gelu = false;  // y = gelu(x + conv(x))
  at::Tensor gate;                      // [batch, height, width, 1] or undefined
  at::Tensor gated;  // y times the gate is added to it; if undefined, it becomes that
};

/// A convolution's weight laid out for kernels, made and kept as PackedWeight does.
class PackedConvolution {
 public:
  /// [batch, height, width, in] -> [batch, height', width', out]; undefined for groups that are
  /// neither one nor depth-wise, and for an epilogue beyond `residual` that is not depth-wise.
  at::Tensor run(const KernelTable& kernels, const at::Tensor& x, const Conv2d& conv,
                 ConvEpilogue& epilogue);

 private:
  at::Tensor by_taps(const at::Tensor& weight);
  at::Tensor as_products(const KernelTable& kernels, const at::Tensor& x, const Conv2d& conv);

  std::mutex guard_;
  at::Tensor taps_;  // [kernel * kernel, channels] of a depth-wise one
  const void* data_ = nullptr;
  int64_t version_ = 0;
  PackedWeight product_;  // of the others
};

}  // namespace vesalius::nn
