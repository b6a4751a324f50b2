#include "recipes/orientation.h"

#include <cstring>

namespace vesalius::recipes {

namespace {

// Which source pixel an output pixel comes from, by EXIF's numbers (Exif 2.32, tag 274): the stored
// first row is at the top, bottom, right or left, and the first column on one of the other two
// sides.
struct Turn {
  bool swap, flip_x, flip_y;  // of the source, after the swap of axes
};

Turn turn_of(int orientation) {
  switch (orientation) {
    case 2:
      return {false, true, false};
    case 3:
      return {false, true, true};
    case 4:
      return {false, false, true};
    case 5:
      return {true, false, false};
    case 6:
      return {true, false, true};
    case 7:
      return {true, true, true};
    case 8:
      return {true, true, false};
    default:
      return {false, false, false};
  }
}

}  // namespace

media::Image upright(const media::Image& image) {
  const Turn turn = turn_of(image.orientation);
  media::Image out = image;
  out.orientation = 1;
  if (!turn.swap && !turn.flip_x && !turn.flip_y) return out;
  if (turn.swap) std::swap(out.width, out.height);
  const size_t pixel =
      static_cast<size_t>(media::mode_channels(image.mode)) * media::mode_bytes(image.mode);
  uint8_t* to = out.data.data();
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x, to += pixel) {
      int from_x = turn.swap ? y : x, from_y = turn.swap ? x : y;
      if (turn.flip_x) from_x = image.width - 1 - from_x;
      if (turn.flip_y) from_y = image.height - 1 - from_y;
      const size_t at = (static_cast<size_t>(from_y) * image.width + from_x) * pixel;
      std::memcpy(to, image.data.data() + at, pixel);
    }
  }
  return out;
}

}  // namespace vesalius::recipes
