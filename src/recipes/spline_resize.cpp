#include "recipes/spline_resize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <functional>

namespace vesalius::recipes {

namespace {

// numpy sums eight numbers side by side, and halves longer rows.
double numpy_sum(const double* values, size_t count) {
  if (count < 8) {
    double sum = 0;
    for (size_t i = 0; i < count; ++i) sum += values[i];
    return sum;
  }
  if (count > 128) {
    const size_t half = count / 2 - count / 2 % 8;
    return numpy_sum(values, half) + numpy_sum(values + half, count - half);
  }
  std::array<double, 8> sums;
  std::copy_n(values, 8, sums.begin());
  size_t i = 8;
  for (; i < count - count % 8; i += 8) {
    for (size_t k = 0; k < 8; ++k) sums[k] += values[i + k];
  }
  double sum =
      ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
  for (; i < count; ++i) sum += values[i];
  return sum;
}

// Weights at the distances -radius to 0; the other half mirrors them.
std::vector<double> gaussian(double deviation) {
  const int radius = static_cast<int>(4.0 * deviation + 0.5);
  const double factor = -0.5 / (deviation * deviation);
  std::vector<double> weights;
  for (int x = -radius; x <= radius; ++x) weights.push_back(std::exp(factor * (x * x)));
  const double sum = numpy_sum(weights.data(), weights.size());
  for (double& weight : weights) weight /= sum;
  weights.resize(static_cast<size_t>(radius) + 1);
  return weights;
}

// A line of pixels somewhere in a plane.
struct Line {
  size_t begin, step, count;
};

std::vector<Line> rows(const Plane& plane) {
  std::vector<Line> lines;
  const size_t width = plane.width;
  for (size_t y = 0; y < static_cast<size_t>(plane.height); ++y)
    lines.push_back({y * width, 1, width});
  return lines;
}

std::vector<Line> columns(const Plane& plane) {
  std::vector<Line> lines;
  const size_t width = plane.width, height = plane.height;
  for (size_t x = 0; x < width; ++x) lines.push_back({x, width, height});
  return lines;
}

void for_each_line(Plane& plane, const std::vector<Line>& lines,
                   const std::function<void(std::vector<double>&)>& change) {
  std::vector<double> values;
  for (const Line& line : lines) {
    values.resize(line.count);
    for (size_t i = 0; i < line.count; ++i) values[i] = plane.values[line.begin + i * line.step];
    change(values);
    for (size_t i = 0; i < line.count; ++i) plane.values[line.begin + i * line.step] = values[i];
  }
}

void smooth(std::vector<double>& line, const std::vector<double>& weights) {
  const size_t radius = weights.size() - 1, count = line.size();
  std::vector<double> padded(count + 2 * radius, 0.0);
  std::copy(line.begin(), line.end(), padded.begin() + static_cast<ptrdiff_t>(radius));
  for (size_t i = 0; i < count; ++i) {
    const double* center = padded.data() + i + radius;
    double sum = center[0] * weights[radius];
    for (size_t distance = radius; distance > 0; --distance) {
      sum += (*(center - distance) + center[distance]) * weights[radius - distance];
    }
    line[i] = sum;
  }
}

void smooth_axis(Plane& plane, double factor, const std::vector<Line>& lines) {
  const double deviation = std::max(0.0, (factor - 1) / 2);
  if (deviation <= 1e-15) return;
  const std::vector<double> weights = gaussian(deviation);
  for_each_line(plane, lines, [&](std::vector<double>& line) { smooth(line, weights); });
}

// The spline is set up with this many zeros around the image.
constexpr int kPadding = 12;

Plane padded(const Plane& plane) {
  Plane out{plane.width + 2 * kPadding, plane.height + 2 * kPadding, {}};
  out.values.assign(static_cast<size_t>(out.width) * out.height, 0.0);
  for (int y = 0; y < plane.height; ++y) {
    const auto from = plane.values.begin() + static_cast<ptrdiff_t>(y) * plane.width;
    std::copy_n(from, plane.width,
                out.values.begin() + static_cast<ptrdiff_t>(y + kPadding) * out.width + kPadding);
  }
  return out;
}

// Pixels to coefficients of the cubic B-spline through them, mirrored at the ends: one pass forth
// and one back (Unser, Aldroubi and Eden 1991, "Fast B-spline transforms for continuous image
// representation and interpolation"). The pole is √3 - 2.
void to_coefficients(std::vector<double>& c) {
  constexpr double z = -0.267949192431122706472553658494127633;
  const size_t n = c.size();
  const double gain = (1.0 - z) * (1.0 - 1.0 / z);
  for (double& value : c) value *= gain;
  const double last_power = std::pow(z, static_cast<double>(n - 1));
  double power = z;
  c[0] = c[0] + last_power * c[n - 1];
  for (size_t i = 1; i + 1 < n; ++i) {
    c[0] += power * (c[i] + last_power * c[n - 1 - i]);
    power *= z;
  }
  c[0] /= 1 - last_power * last_power;
  for (size_t i = 1; i < n; ++i) c[i] += z * c[i - 1];
  c[n - 1] = (z * c[n - 2] + c[n - 1]) * z / (z * z - 1);
  for (size_t i = n - 1; i-- > 0;) c[i] = z * (c[i + 1] - c[i]);
}

// Where an output pixel lies among the coefficients: the first of four, and their weights.
struct Knots {
  size_t first;
  std::array<double, 4> weights;
};

std::vector<Knots> knots(int in, int out) {
  const double zoom = static_cast<double>(in) / out;
  std::vector<Knots> all;
  for (int o = 0; o < out; ++o) {
    double at = o;
    at += 0.5;
    at *= zoom;
    at -= 0.5;
    at += kPadding;
    const double floor = std::floor(at), y = at - floor, z = 1.0 - y;
    Knots k{static_cast<size_t>(floor) - 1, {}};
    k.weights[1] = (y * y * (y - 2.0) * 3.0 + 4.0) / 6.0;
    k.weights[2] = (z * z * (z - 2.0) * 3.0 + 4.0) / 6.0;
    k.weights[0] = z * z * z / 6.0;
    k.weights[3] = 1.0 - k.weights[0] - k.weights[1] - k.weights[2];
    all.push_back(k);
  }
  return all;
}

Plane read_spline(const Plane& coefficients, const std::vector<Knots>& across,
                  const std::vector<Knots>& down) {
  Plane out{static_cast<int>(across.size()), static_cast<int>(down.size()), {}};
  const size_t width = coefficients.width;
  for (const Knots& row : down) {
    for (const Knots& column : across) {
      double sum = 0;
      for (size_t i = 0; i < 4; ++i) {
        const double* from = coefficients.values.data() + (row.first + i) * width + column.first;
        for (size_t j = 0; j < 4; ++j) sum += from[j] * row.weights[i] * column.weights[j];
      }
      out.values.push_back(sum);
    }
  }
  return out;
}

void hold_range(const Plane& input, Plane& output) {
  auto [low, high] = std::minmax_element(input.values.begin(), input.values.end());
  double least = *low;
  const double greatest = *high;
  const auto [out_low, out_high] = std::minmax_element(output.values.begin(), output.values.end());
  // The 0 from beyond the border may be kept, but only where something came out below it.
  if (least > 0 && *out_low <= 0 && *out_high >= 0) least = 0;
  for (double& value : output.values) value = std::min(std::max(value, least), greatest);
}

}  // namespace

Plane spline_resize(const Plane& image, int width, int height) {
  if (width == image.width && height == image.height) return image;
  Plane work = image;
  smooth_axis(work, static_cast<double>(image.height) / height, columns(work));
  smooth_axis(work, static_cast<double>(image.width) / width, rows(work));
  work = padded(work);
  for_each_line(work, columns(work), to_coefficients);
  for_each_line(work, rows(work), to_coefficients);
  Plane out = read_spline(work, knots(image.width, width), knots(image.height, height));
  hold_range(image, out);
  return out;
}

}  // namespace vesalius::recipes
