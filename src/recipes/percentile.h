// numpy.percentile, in the type that numpy computes it in.
#pragma once

#include <cstdint>
#include <vector>

namespace vesalius::recipes {

/// The value below which `fraction` (0 to 1) of the values lie, by numpy's default method "linear"
/// (Hyndman and Fan 1996, "Sample quantiles in statistical packages", type 7). float32 values give
/// a float32, computed as such; whole numbers give a double. NaN if any value is NaN. `values` is
/// not empty.
float percentile(std::vector<float> values, double fraction);
double percentile(std::vector<uint16_t> values, double fraction);
double percentile(std::vector<double> values, double fraction);

}  // namespace vesalius::recipes
