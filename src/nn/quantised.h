// Weights of decoder blocks in 8 or 4 bits: what writing one token after another is bound by is how
// fast they come from memory.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <mutex>

namespace vesalius::nn {

struct QuantKernels;

/// A weight [out, in] in few bits: groups of 32 numbers of a row share a scale in bf16, so that a
/// number takes 8.5 or 4.5 bits. Made at the first product, kept until the weight or the number of
/// bits changes; the pages of a mapped file that it was made from are let go.
class QuantisedWeight {
 public:
  struct Layout {
    at::Tensor data;  // bytes as quantised_layout.h tells
    int64_t bits = 0, in = 0, out = 0, groups = 0;
  };
  std::shared_ptr<const Layout> get(const at::Tensor& weight, int64_t bits);

 private:
  std::mutex guard_;
  const void* data_ = nullptr;
  int64_t version_ = 0;
  std::shared_ptr<const Layout> layout_;
};

/// x W^T + bias + residual for x [rows, in] contiguous, fp32; bias [out] and residual [rows, out]
/// or undefined. Up to 16 rows meet the numbers as they are, rounded to 8 bits themselves; for more
/// the weight is written out for the planned kernels.
at::Tensor quantised_product(const QuantisedWeight::Layout& weight, const at::Tensor& x,
                             const at::Tensor& bias = {}, const at::Tensor& residual = {});

/// The weight as its numbers have it, [out, in], fp32.
at::Tensor dequantised(const QuantisedWeight::Layout& weight);

}  // namespace vesalius::nn
