#include "nn/convolution_kernels.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "nn/pages.h"

namespace vesalius::nn {
namespace {

bool is_depthwise(const ConvShape& s) {
  return s.groups == s.in && s.in == s.out && s.kernel == 3 && s.stride == 1 && s.padding == 1;
}

at::Tensor depthwise(const KernelTable& kernels, const at::Tensor& x, const at::Tensor& weight,
                     const at::Tensor& bias, bool residual) {
  const int64_t batch = x.size(0), height = x.size(1), width = x.size(2), channels = x.size(3);
  auto y = pooled_empty(x.sizes());
  const auto* from = x.const_data_ptr<float>();
  auto* to = y.mutable_data_ptr<float>();
  const auto* w = weight.const_data_ptr<float>();
  const auto* b = bias.const_data_ptr<float>();
  const int64_t image = height * width * channels;
  constexpr int64_t kRows = 4;  // neighbours share rows of x in the cache
  const int64_t parts = (height + kRows - 1) / kRows;
  run_tasks(batch * parts, 0, [&](int64_t task, float*) {
    const int64_t at = task / parts * image, first = task % parts * kRows;
    const Depthwise d{from + at, w, b, to + at, height, width, channels, residual};
    for (int64_t row = first; row < std::min(first + kRows, height); ++row)
      kernels.depthwise(d, row);
  });
  return y;
}

/// The pixels under the kernel at each output pixel of one image: [height' * width', kernel *
/// kernel * in].
at::Tensor patches(const at::Tensor& image, const ConvShape& s, int64_t high, int64_t wide) {
  const int64_t height = image.size(0), width = image.size(1);
  auto result = pooled_empty({high * wide, s.kernel * s.kernel * s.in});
  const auto* from = image.const_data_ptr<float>();
  auto* to = result.mutable_data_ptr<float>();
  run_tasks(high, 0, [&](int64_t y, float*) {
    float* pixel = to + y * wide * result.size(1);
    for (int64_t x = 0; x < wide; ++x) {
      for (int64_t i = 0; i < s.kernel * s.kernel; ++i, pixel += s.in) {
        const int64_t row = y * s.stride - s.padding + i / s.kernel;
        const int64_t column = x * s.stride - s.padding + i % s.kernel;
        const bool inside = row >= 0 && row < height && column >= 0 && column < width;
        if (inside)
          std::memcpy(pixel, from + (row * width + column) * s.in, s.in * sizeof(float));
        else
          std::memset(pixel, 0, s.in * sizeof(float));
      }
    }
  });
  return result;
}

}  // namespace

at::Tensor PackedConvolution::by_taps(const at::Tensor& weight) {
  const std::lock_guard lock(guard_);
  const auto version = weight.is_inference() ? 0 : static_cast<int64_t>(weight._version());
  if (!taps_.defined() || data_ != weight.const_data_ptr() || version_ != version) {
    taps_ = weight.detach().to(at::kFloat).view({-1, 9}).t().contiguous();
    data_ = weight.const_data_ptr();
    version_ = version;
  }
  return taps_;
}

at::Tensor PackedConvolution::run(const KernelTable& kernels, const at::Tensor& maps,
                                  const Conv2d& conv, bool residual) {
  const auto& s = conv.shape;
  const auto x = maps.contiguous();
  if (is_depthwise(s))
    return depthwise(kernels, x, by_taps(conv.weight),
                     conv.bias.defined() ? conv.bias.contiguous() : at::zeros({s.out}), residual);
  if (s.groups != 1 || x.size(0) == 0) return {};
  const int64_t high = (x.size(1) + 2 * s.padding - s.kernel) / s.stride + 1;
  const int64_t wide = (x.size(2) + 2 * s.padding - s.kernel) / s.stride + 1;
  const auto packed = product_.get(kernels, conv.weight, conv.bias);
  std::vector<at::Tensor> images;
  for (int64_t i = 0; i < x.size(0); ++i)
    images.push_back(packed_product(*packed, patches(x[i], s, high, wide)));
  const auto y = (images.size() == 1 ? images[0] : at::cat(images)).view({-1, high, wide, s.out});
  return residual ? x + y : y;
}

}  // namespace vesalius::nn
