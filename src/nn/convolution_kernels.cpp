#include "nn/convolution_kernels.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "nn/pages.h"

namespace vesalius::nn {
namespace {

/// True of kernels of 3, 5, 7 or 9 that keep the grid: those that all of the epilogue is for.
bool is_depthwise(const ConvShape& s) {
  const bool known = s.kernel % 2 == 1 && s.kernel >= 3 && s.kernel <= 9;
  return s.groups == s.in && s.in == s.out && s.stride == 1 && known && s.padding == s.kernel / 2;
}

/// x, or a copy of it, whose pixels follow each other at one distance, channels side by side.
at::Tensor evenly_spaced(const at::Tensor& x) {
  const bool even = x.stride(3) == 1 && x.stride(1) == x.size(2) * x.stride(2) &&
                    x.stride(0) == x.size(1) * x.stride(1);
  return even ? x : x.contiguous();
}

at::Tensor depthwise(const KernelTable& kernels, const at::Tensor& map, const at::Tensor& weight,
                     const Conv2d& conv, ConvEpilogue& e) {
  const auto x = evenly_spaced(map);
  const int64_t batch = x.size(0), height = x.size(1), width = x.size(2), channels = x.size(3);
  const auto bias = conv.bias.defined() ? conv.bias.contiguous() : at::zeros({channels});
  auto y = pooled_empty(x.sizes());
  Depthwise d{.x = x.const_data_ptr<float>(),
              .weight = weight.const_data_ptr<float>(),
              .bias = bias.const_data_ptr<float>(),
              .y = y.mutable_data_ptr<float>(),
              .x_stride = x.stride(2),
              .height = height,
              .width = width,
              .channels = channels,
              .kernel = conv.shape.kernel,
              .residual = e.residual,
              .gelu = e.gelu};
  if (e.gate.defined()) {
    d.add_gated = e.gated.defined();
    if (!d.add_gated) e.gated = pooled_empty(x.sizes());
    d.gate = e.gate.const_data_ptr<float>();
    d.gate_stride = e.gate.stride(2);
    d.gated = e.gated.mutable_data_ptr<float>();
  }
  constexpr int64_t kRows = 8;  // neighbours share rows of x in the cache
  const int64_t parts = (height + kRows - 1) / kRows, image = height * width;
  run_tasks(batch * parts, 0, [&](int64_t task, float*) {
    const int64_t at = task / parts * image, first = task % parts * kRows;
    Depthwise one = d;
    one.x += at * d.x_stride;
    one.y += at * channels;
    if (one.gate != nullptr) {
      one.gate += at * d.gate_stride;
      one.gated += at * channels;
    }
    kernels.depthwise(one, first, std::min(first + kRows, height));
  });
  return y;
}

struct Grid {
  int64_t height, width;
};

Grid output_grid(const at::Tensor& x, const ConvShape& s) {
  return {(x.size(1) + 2 * s.padding - s.kernel) / s.stride + 1,
          (x.size(2) + 2 * s.padding - s.kernel) / s.stride + 1};
}

/// The pixels under the kernel at output rows [first, last) of one image: [rows * width', kernel *
/// kernel * in].
at::Tensor patches(const at::Tensor& image, const ConvShape& s, int64_t first, int64_t last,
                   int64_t wide) {
  const int64_t height = image.size(0), width = image.size(1);
  auto result = pooled_empty({(last - first) * wide, s.kernel * s.kernel * s.in});
  const auto* from = image.const_data_ptr<float>();
  auto* to = result.mutable_data_ptr<float>();
  run_tasks(last - first, 0, [&](int64_t y, float*) {
    float* pixel = to + y * wide * result.size(1);
    for (int64_t x = 0; x < wide; ++x) {
      for (int64_t i = 0; i < s.kernel * s.kernel; ++i, pixel += s.in) {
        const int64_t row = (first + y) * s.stride - s.padding + i / s.kernel;
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
    taps_ = weight.detach().to(at::kFloat).view({weight.size(0), -1}).t().contiguous();
    data_ = weight.const_data_ptr();
    version_ = version;
  }
  return taps_;
}

at::Tensor PackedConvolution::as_products(const KernelTable& kernels, const at::Tensor& x,
                                          const Conv2d& conv) {
  const auto& s = conv.shape;
  const auto [high, wide] = output_grid(x, s);
  const auto packed = product_.get(kernels, conv.weight, conv.bias);
  auto y = pooled_empty({x.size(0), high, wide, s.out});
  // Bands of the image whose patches stay in the cache between being made and being multiplied.
  constexpr int64_t kBand = int64_t{4} << 20;  // floats
  const int64_t row = wide * s.kernel * s.kernel * s.in;
  const int64_t rows = std::clamp<int64_t>(kBand / std::max<int64_t>(row, 1), 1, high);
  for (int64_t i = 0; i < x.size(0); ++i)
    for (int64_t first = 0; first < high; first += rows) {
      const int64_t last = std::min(first + rows, high);
      packed_product_into(*packed, patches(x[i], s, first, last, wide), Activation::kNone, {},
                          y[i].narrow(0, first, last - first));
    }
  return y;
}

at::Tensor PackedConvolution::run(const KernelTable& kernels, const at::Tensor& maps,
                                  const Conv2d& conv, ConvEpilogue& epilogue) {
  const auto x = maps.contiguous();
  if (is_depthwise(conv.shape)) return depthwise(kernels, x, by_taps(conv.weight), conv, epilogue);
  if (conv.shape.groups != 1 || epilogue.gelu || epilogue.gate.defined()) return {};
  const auto y = as_products(kernels, x, conv);
  return epilogue.residual ? x + y : y;
}

}  // namespace vesalius::nn
