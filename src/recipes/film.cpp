#include "recipes/film.h"

#include <algorithm>

#include "media/resize.h"
#include "recipes/steps.h"

namespace vesalius::recipes {

namespace {

using media::Image;
using media::Mode;

// Rec. 601 in 16-bit fixed point, rounded, as Pillow's L24.
uint8_t luma(const uint8_t* rgb) {
  return static_cast<uint8_t>((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16);
}

bool has_no_white(Mode mode) { return mode == Mode::kGray16 || mode == Mode::kGrayFloat; }

Image to_grey(const Image& image) {
  const Image rgb = media::to_rgb(image);
  Image grey;
  grey.width = rgb.width;
  grey.height = rgb.height;
  grey.data.resize(rgb.data.size() / 3);
  // Grey that became RGB weighs 65536 in all, so it comes back as it was.
  for (size_t i = 0; i < grey.data.size(); ++i) grey.data[i] = luma(&rgb.data[3 * i]);
  return grey;
}

// In float64 with the division first, cut off to whole numbers, as the reference's numpy does.
void stretch(Image& grey) {
  if (grey.data.empty()) return;
  const auto [least, most] = std::ranges::minmax(grey.data);
  const double range = most - least;
  for (uint8_t& value : grey.data)
    value = range > 0 ? static_cast<uint8_t>((value - least) / range * 255.0) : 0;
}

// The middle square: offsets are rounded down.
Image centre_square(const Image& image, int size) {
  const int channels = media::mode_channels(image.mode);
  const int left = (image.width - size) / 2, top = (image.height - size) / 2;
  Image square;
  square.width = square.height = size;
  square.mode = image.mode;
  for (int y = 0; y < size; ++y) {
    const auto row =
        image.data.begin() + (static_cast<ptrdiff_t>(top + y) * image.width + left) * channels;
    square.data.insert(square.data.end(), row, row + static_cast<ptrdiff_t>(size) * channels);
  }
  return square;
}

}  // namespace

Image film(const Recipe& recipe, const Image& image) {
  return to_grey(has_no_white(image.mode) ? eight_bit(recipe, image) : image);
}

Image film(const Recipe& recipe, const media::DicomFile& file, const std::string& where,
           int frame) {
  require_frame(file, frame, where);
  return to_grey(shown(recipe, file, frame, where));
}

Image film_square(const Recipe& recipe, const ModelInput& input, const Image& film) {
  Image grey = film;
  stretch(grey);
  return middle_square(recipe, input, grey);
}

Image middle_square(const Recipe& recipe, const ModelInput& input, const Image& image) {
  const Image rgb = media::to_rgb(has_no_white(image.mode) ? eight_bit(recipe, image) : image);
  const int64_t size = input.size, shorter = std::min(rgb.width, rgb.height);
  const auto scaled = [&](int side) {
    return side == shorter ? input.size : static_cast<int>(size * side / shorter);
  };
  return centre_square(media::resize(rgb, scaled(rgb.width), scaled(rgb.height),
                                     media::Filter::kBicubic, pass_order(recipe)),
                       input.size);
}

}  // namespace vesalius::recipes
