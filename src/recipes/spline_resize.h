// skimage.transform.resize with a cubic spline and Gaussian anti-aliasing, to the last bit of its
// doubles.
#pragma once

#include <vector>

namespace vesalius::recipes {

/// One channel, row-major.
struct Plane {
  int width = 0, height = 0;
  std::vector<double> values;
};

/// resize(image, (height, width), order=3, mode="constant", preserve_range=True,
/// anti_aliasing=True) of scikit-image 0.26 over SciPy 1.17: an axis that shrinks by f is first
/// smoothed with a Gaussian of deviation (f - 1) / 2, then a cubic B-spline through the pixels is
/// read at the new ones; beyond the border is 0; the result is held in the range of the input.
/// Every sum is made in the reference's order, because the caller cuts fractions off, and flat
/// areas land within rounding errors of whole numbers.
Plane spline_resize(const Plane& image, int width, int height);

}  // namespace vesalius::recipes
