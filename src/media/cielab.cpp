#include "media/cielab.h"

#include <algorithm>
#include <cmath>

namespace vesalius::media {

namespace {
using Triple = std::array<double, 3>;
using Matrix = std::array<Triple, 3>;

// IEC 61966-2-1.
constexpr Matrix kToXyz{{{0.4124564, 0.3575761, 0.1804375},
                         {0.2126729, 0.7151522, 0.0721750},
                         {0.0193339, 0.1191920, 0.9503041}}};
constexpr Matrix kFromXyz{{{3.2404542, -1.5371385, -0.4985314},
                           {-0.9692660, 1.8760108, 0.0415560},
                           {0.0556434, -0.2040259, 1.0572252}}};
constexpr Triple kWhite{0.95047, 1.0, 1.08883};  // D65
constexpr double kKnee = 6.0 / 29;               // of CIELab's cube root

Triple product(const Matrix& matrix, const Triple& v) {
  Triple out{};
  for (size_t i = 0; i < 3; ++i) {
    out[i] = matrix[i][0] * v[0] + matrix[i][1] * v[1] + matrix[i][2] * v[2];
  }
  return out;
}

double linear(uint8_t value) {
  const double v = value / 255.0;
  return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
}

uint8_t companded(double v) {
  const double c = v <= 0.0031308 ? 12.92 * v : 1.055 * std::pow(v, 1 / 2.4) - 0.055;
  return static_cast<uint8_t>(std::lround(255 * std::clamp(c, 0.0, 1.0)));
}

double root(double t) {
  return t > kKnee * kKnee * kKnee ? std::cbrt(t) : t / (3 * kKnee * kKnee) + 4.0 / 29;
}

double cube(double t) { return t > kKnee ? t * t * t : 3 * kKnee * kKnee * (t - 4.0 / 29); }

uint16_t word(double share) {
  return static_cast<uint16_t>(std::lround(65535 * std::clamp(share, 0.0, 1.0)));
}
}  // namespace

std::array<uint16_t, 3> cielab_of(const std::array<uint8_t, 3>& srgb) {
  const Triple xyz = product(kToXyz, {linear(srgb[0]), linear(srgb[1]), linear(srgb[2])});
  const double x = root(xyz[0] / kWhite[0]), y = root(xyz[1] / kWhite[1]),
               z = root(xyz[2] / kWhite[2]);
  const double l = 116 * y - 16, a = 500 * (x - y), b = 200 * (y - z);
  return {word(l / 100), word((a + 128) / 255), word((b + 128) / 255)};
}

std::array<uint8_t, 3> srgb_of(const std::array<uint16_t, 3>& cielab) {
  const double l = cielab[0] / 65535.0 * 100, a = cielab[1] / 65535.0 * 255 - 128,
               b = cielab[2] / 65535.0 * 255 - 128;
  const double y = (l + 16) / 116;
  const Triple xyz{kWhite[0] * cube(y + a / 500), kWhite[1] * cube(y),
                   kWhite[2] * cube(y - b / 200)};
  const Triple rgb = product(kFromXyz, xyz);
  return {companded(rgb[0]), companded(rgb[1]), companded(rgb[2])};
}

}  // namespace vesalius::media
