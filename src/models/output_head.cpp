#include "models/output_head.h"

#include "models/mask_transformer.h"
#include "nn/trace.h"

namespace vesalius::models {
namespace {

at::Tensor channels_last(const at::Tensor& x) { return x.permute({0, 2, 3, 1}).contiguous(); }

/// Of every image, one copy a prompt: [batch * prompts, height, width, 3].
at::Tensor shrunk(const at::Tensor& pixels, int64_t height, int64_t width, int64_t prompts) {
  return channels_last(resize_masks(pixels, height, width)).repeat_interleave(prompts, 0);
}

}  // namespace

OutputHead::OutputHead(const Weights& w, int64_t masks, int64_t channels)
    : deconv_weight(w("output_deconv.weight", {masks + 3, channels, 4, 4})),
      deconv_bias(w("output_deconv.bias", {channels})),
      layer_norm(w / "layer_norm", channels, 1),
      output_conv(w / "output_conv", {channels + 3, channels, 1}),
      output_conv2(w / "output_conv2", {channels, 1, 1}) {}

at::Tensor OutputHead::operator()(const at::Tensor& pixels, const at::Tensor& masks) const {
  const int64_t batch = masks.size(0), prompts = masks.size(1);
  const int64_t height = masks.size(3), width = masks.size(4);
  const auto small = masks.flatten(0, 1);  // [batch * prompts, queries, h, w]
  const auto mean = resize_masks(small.mean(1, /*keepdim=*/true), 2 * height, 2 * width);
  const auto quarter =
      at::cat({shrunk(pixels, height, width, prompts).permute({0, 3, 1, 2}), small}, 1);
  const auto doubled = at::conv_transpose2d(quarter, deconv_weight, deconv_bias, 2, 1);
  nn::trace("output_deconv", doubled);
  auto x = layer_norm(channels_last(doubled));  // [batch * prompts, 2h, 2w, channels]
  nn::trace("layer_norm", x);
  x = output_conv(at::cat({shrunk(pixels, 2 * height, 2 * width, prompts), nn::gelu(x)}, 3));
  nn::trace("output_conv", x);
  x = output_conv2(nn::gelu(x));  // [batch * prompts, 2h, 2w, 1]
  nn::trace("output_conv2", x);
  const auto sharp = x.permute({0, 3, 1, 2});
  return ((sharp + mean) / 2).view({batch, prompts, 2 * height, 2 * width});
}

}  // namespace vesalius::models
