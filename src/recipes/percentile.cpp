#include "recipes/percentile.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace vesalius::recipes {

namespace {

// numpy takes a percentage and divides it by 100 again.
double quantile_of(double fraction) { return fraction * 100 / 100; }

template <class T, class Result>
Result interpolated(std::vector<T>& values, double fraction) {
  const size_t count = values.size();
  const double at = static_cast<double>(count - 1) * quantile_of(fraction);
  const size_t before = std::min(static_cast<size_t>(at), count - 1);
  const auto middle = values.begin() + static_cast<ptrdiff_t>(before);
  std::nth_element(values.begin(), middle, values.end());
  const T a = *middle;
  if (at >= static_cast<double>(count - 1)) return static_cast<Result>(a);
  const T b = *std::min_element(middle + 1, values.end());
  const double part = at - static_cast<double>(before);
  const auto difference = static_cast<Result>(b - a);
  // Measured from the nearer end, so that the result never lies outside the two.
  if (part >= 0.5) return b - difference * static_cast<Result>(1 - part);
  return a + difference * static_cast<Result>(part);
}

template <class T>
T of_floats(std::vector<T>& values, double fraction) {
  if (std::any_of(values.begin(), values.end(), [](T value) { return std::isnan(value); })) {
    return std::numeric_limits<T>::quiet_NaN();
  }
  return interpolated<T, T>(values, fraction);
}

}  // namespace

float percentile(std::vector<float> values, double fraction) { return of_floats(values, fraction); }
double percentile(std::vector<double> values, double fraction) {
  return of_floats(values, fraction);
}
double percentile(std::vector<uint16_t> values, double fraction) {
  return interpolated<uint16_t, double>(values, fraction);
}

}  // namespace vesalius::recipes
