// BoltzFormer's optional output head (microsoft/BoltzFormer, `convolute_outputs`): the masks of all
// queries and the image itself make one mask of twice the size.
#pragma once

#include <cstdint>

#include "checkpoint/weights.h"
#include "nn/layers.h"

namespace vesalius::models {

struct OutputHead {
  at::Tensor deconv_weight, deconv_bias;  // [masks + 3, channels, 4, 4], [channels]
  nn::GroupNorm layer_norm;
  nn::Conv2d output_conv, output_conv2;

  /// Of masks of so many queries.
  OutputHead(const Weights& w, int64_t masks, int64_t channels);
  /// Normalised pixels [batch, 3, height, width] and logits [batch, prompts, queries, height / 4,
  /// width / 4] -> [batch, prompts, height / 2, width / 2].
  at::Tensor operator()(const at::Tensor& pixels, const at::Tensor& masks) const;
};

}  // namespace vesalius::models
