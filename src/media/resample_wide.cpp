// Resampling of 16-bit and float images: sums in double, as Pillow's wide modes do them.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "media/resample.h"

namespace vesalius::media {

namespace {

uint16_t store_u16(double sum) {
  return static_cast<uint16_t>(std::clamp(std::floor(sum + 0.5), 0.0, 65535.0));
}

float store_f32(double sum) { return static_cast<float>(sum); }

template <class T, class Store>
std::vector<T> pass(const T* in, const Axis& axis, size_t lines, size_t line_step, size_t tap_step,
                    size_t out_line_step, size_t out_step, Store store) {
  std::vector<T> out(lines * axis.taps.size());
  for (size_t line = 0; line < lines; ++line) {
    for (size_t o = 0; o < axis.taps.size(); ++o) {
      const Taps& taps = axis.taps[o];
      double sum = 0;
      for (int t = 0; t < taps.count; ++t) {
        sum += in[line * line_step + (taps.first + t) * tap_step] * axis.weights[taps.offset + t];
      }
      out[line * out_line_step + o * out_step] = store(sum);
    }
  }
  return out;
}

template <class T, class Store>
std::vector<uint8_t> resample(const T* pixels, const Scaling& s, const Resampler& filter,
                              Store store) {
  size_t width = s.width, height = s.height;
  std::vector<T> image(pixels, pixels + width * height);
  const auto pass_across = [&] {
    if (s.out_width == static_cast<int>(width)) return;
    const size_t out = s.out_width;
    image = pass(image.data(), resample_axis(s.width, s.out_width, filter), height, width, 1, out,
                 1, store);
    width = out;
  };
  const auto pass_down = [&] {
    if (s.out_height == static_cast<int>(height)) return;
    image = pass(image.data(), resample_axis(s.height, s.out_height, filter), width, 1, width, 1,
                 width, store);
    height = s.out_height;
  };
  if (down_first(s)) pass_down();
  pass_across();
  pass_down();
  std::vector<uint8_t> bytes(image.size() * sizeof(T));
  std::memcpy(bytes.data(), image.data(), bytes.size());
  return bytes;
}

}  // namespace

std::vector<uint8_t> resample_u16(const uint16_t* pixels, const Scaling& scaling,
                                  const Resampler& filter) {
  return resample(pixels, scaling, filter, store_u16);
}

std::vector<uint8_t> resample_f32(const float* pixels, const Scaling& scaling,
                                  const Resampler& filter) {
  return resample(pixels, scaling, filter, store_f32);
}

}  // namespace vesalius::media
