#include "media/resample.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace vesalius::media {

namespace {

double bilinear(double x) {
  x = std::abs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

// Keys' cubic convolution with a = -0.5 (Keys 1981, "Cubic convolution interpolation for digital
// image processing"); torch and OpenCV take -0.75.
double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

int32_t fixed(double weight) {
  const double scaled = weight * (1 << kPrecisionBits);
  return static_cast<int32_t>(weight < 0 ? scaled - 0.5 : scaled + 0.5);
}

void append(FixedAxis& axis, int32_t weight) {
  const int32_t d0 = static_cast<int8_t>(weight & 0xFF);
  const int32_t rest = (weight - d0) >> 8;
  const int32_t d1 = static_cast<int8_t>(rest & 0xFF);
  const int32_t d2 = (rest - d1) >> 8;
  axis.weights.push_back(weight);
  axis.high.push_back(static_cast<int16_t>(weight >> 8));
  axis.low.push_back(static_cast<int16_t>(weight & 0xFF));
  axis.digits[0].push_back(static_cast<int8_t>(d0));
  axis.digits[1].push_back(static_cast<int8_t>(d1));
  axis.digits[2].push_back(static_cast<int8_t>(d2));
  if (d2 < -128 || d2 > 127) axis.vectorizable = false;
}

FixedAxis fixed_axis(int in, int out, const Resampler& filter) {
  const Axis exact = resample_axis(in, out, filter);
  FixedAxis axis;
  for (const Taps& taps : exact.taps) {
    axis.taps.push_back({taps.first, taps.count, axis.weights.size()});
    for (int t = 0; t < taps.count; ++t) append(axis, fixed(exact.weights[taps.offset + t]));
    while (axis.weights.size() % 4 != 0) append(axis, 0);
  }
  return axis;
}

// Rows are taken in strips and turned over the diagonal: then the taps of an output column are
// whole rows of bytes, and both passes share one inner loop.
constexpr size_t kStrip = 64;

std::vector<uint8_t> across(const uint8_t* pixels, int width, int height, int channels,
                            int out_width, const Resampler& filter, CpuLevel level) {
  const FixedAxis axis = fixed_axis(width, out_width, filter);
  const size_t in_row = static_cast<size_t>(width) * channels;
  const size_t out_row = static_cast<size_t>(out_width) * channels;
  std::vector<uint8_t> out(out_row * height), strip(in_row * kStrip), resampled(out_row * kStrip);
  for (size_t y = 0; y < static_cast<size_t>(height); y += kStrip) {
    const size_t rows = std::min(kStrip, height - y);
    const size_t pixel = rows * channels;  // bytes of one column of the strip
    transpose_bytes(pixels + y * in_row, in_row, rows, in_row, strip.data(), rows);
    for (int x = 0; x < out_width; ++x) {
      weighted_rows(level, axis, x, strip.data(), pixel, pixel, resampled.data() + x * pixel);
    }
    transpose_bytes(resampled.data(), rows, out_row, rows, out.data() + y * out_row, out_row);
  }
  return out;
}

std::vector<uint8_t> down(const uint8_t* pixels, int width, int height, int channels,
                          int out_height, const Resampler& filter, CpuLevel level) {
  const FixedAxis axis = fixed_axis(height, out_height, filter);
  const size_t row = static_cast<size_t>(width) * channels;
  std::vector<uint8_t> out(row * out_height);
  for (int y = 0; y < out_height; ++y) {
    weighted_rows(level, axis, y, pixels, row, row, out.data() + y * row);
  }
  return out;
}

}  // namespace

const Resampler kBilinearResampler{1.0, bilinear};
const Resampler kBicubicResampler{2.0, bicubic};

Axis resample_axis(int in, int out, const Resampler& filter) {
  const double scale = static_cast<double>(in) / out;
  const double stretch = std::max(scale, 1.0);
  const double support = filter.support * stretch;
  Axis axis;
  axis.taps.reserve(out);
  for (int o = 0; o < out; ++o) {
    const double center = (o + 0.5) * scale;
    const int first = std::max(static_cast<int>(center - support + 0.5), 0);
    const int last = std::min(static_cast<int>(center + support + 0.5), in);
    const size_t offset = axis.weights.size();
    double sum = 0;
    for (int i = first; i < last; ++i) {
      const double weight = filter.weight((i - center + 0.5) * (1.0 / stretch));
      axis.weights.push_back(weight);
      sum += weight;
    }
    for (size_t i = offset; sum != 0.0 && i < axis.weights.size(); ++i) axis.weights[i] /= sum;
    axis.taps.push_back({first, last - first, offset});
  }
  return axis;
}

bool down_first(const Scaling& s) {
  if (s.order == PassOrder::kAcrossFirst || s.out_height >= s.height) return false;
  return 2 * (int64_t{s.width} - s.out_width) < int64_t{s.height} - s.out_height;
}

std::vector<uint8_t> resample_u8(const uint8_t* pixels, int channels, const Scaling& scaling,
                                 const Resampler& filter, CpuLevel level) {
  int width = scaling.width, height = scaling.height;
  std::vector<uint8_t> held;
  const uint8_t* now = pixels;  // the image so far: the caller's, then what a pass has made
  const auto pass_across = [&] {
    if (width == scaling.out_width) return;
    held = across(now, width, height, channels, scaling.out_width, filter, level);
    now = held.data();
    width = scaling.out_width;
  };
  const auto pass_down = [&] {
    if (height == scaling.out_height) return;
    held = down(now, width, height, channels, scaling.out_height, filter, level);
    now = held.data();
    height = scaling.out_height;
  };
  if (down_first(scaling)) pass_down();
  pass_across();
  pass_down();
  if (now == pixels) held.assign(now, now + static_cast<size_t>(width) * height * channels);
  return held;
}

}  // namespace vesalius::media
