// Separable resampling of 8-bit samples in Pillow's fixed point: the coefficients and the two
// passes.
#pragma once

#include <cstdint>
#include <vector>

#include "media/resample_kernels.h"
#include "media/resize.h"

namespace vesalius::media {

/// A resampling filter: its half width at scale 1 and its value at a distance.
struct Resampler {
  double support;
  double (*weight)(double distance);
};
extern const Resampler kBilinearResampler;
extern const Resampler kBicubicResampler;

/// For one output sample: the input samples [first, first + count) and their weights, which sum
/// to 1.
struct Taps {
  int first = 0, count = 0;
  size_t offset = 0;  // of its weights in Axis::weights
};

/// One axis of a resize; the supports grow with the scale when the image shrinks (antialiasing).
struct Axis {
  std::vector<Taps> taps;  // one an output sample
  std::vector<double> weights;
};
Axis resample_axis(int in, int out, const Resampler& filter);

/// From size to size, of whole images.
struct Scaling {
  int width = 0, height = 0, out_width = 0, out_height = 0;
  PassOrder order = PassOrder::kPillow13;
};

/// True if the pass down comes first. Pillow 13's rule, found by comparing its results with both
/// orders on some thousand sizes: only when the height shrinks, and by more than twice what the
/// width shrinks by.
bool down_first(const Scaling& scaling);

/// [height, width, channels] u8 to [out_height, out_width, channels], each pass rounded to u8. An
/// axis that keeps its size is not touched.
std::vector<uint8_t> resample_u8(const uint8_t* pixels, int channels, const Scaling& scaling,
                                 const Resampler& filter, CpuLevel level = best_cpu_level());

/// The same for one channel of 16-bit samples, or of floats; sums are in double, as Pillow's are.
std::vector<uint8_t> resample_u16(const uint16_t* pixels, const Scaling& scaling,
                                  const Resampler& filter);
std::vector<uint8_t> resample_f32(const float* pixels, const Scaling& scaling,
                                  const Resampler& filter);

}  // namespace vesalius::media
