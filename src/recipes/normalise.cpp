#include <array>

#include "recipes/recipe.h"

namespace vesalius::recipes {

namespace {

// torchvision's to_tensor and normalize: divide by 255, subtract the mean, divide by the deviation,
// each result a float32.
std::array<float, 256> values_of(float mean, float deviation) {
  std::array<float, 256> values{};
  for (int level = 0; level < 256; ++level) {
    const float unit = static_cast<float>(level) / 255.0F;
    const float centred = unit - mean;
    values[level] = centred / deviation;
  }
  return values;
}

}  // namespace

void normalise(const Prepared& pixels, const ModelInput& input, float* out) {
  const size_t count = static_cast<size_t>(pixels.size) * pixels.size;
  if (pixels.rgb.size() != 3 * count) {
    fail(ErrorCode::kFailed, "{} prepared samples are not {}x{} RGB pixels", pixels.rgb.size(),
         pixels.size, pixels.size);
  }
  for (size_t c = 0; c < 3; ++c) {
    const std::array<float, 256> values = values_of(input.mean[c], input.std[c]);
    float* plane = out + c * count;
    for (size_t i = 0; i < count; ++i) plane[i] = values[pixels.rgb[3 * i + c]];
  }
}

}  // namespace vesalius::recipes
