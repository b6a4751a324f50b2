// Pillow's resampling, to the bit.
#pragma once

#include "media/image.h"

namespace vesalius::media {

enum class Filter { kNearest, kBilinear, kBicubic };

/// Which pass comes first. The result is rounded to u8 in between, so the order shows in the last
/// bit.
enum class PassOrder {
  kPillow13,     // Pillow 13 goes down first where that saves work, see down_first() in resample.h
  kAcrossFirst,  // Pillow up to 12: across, then down, always
};

/// Image.resize((width, height), filter) of Pillow for 8-bit images of any channel count:
/// one pass for each axis that changes, each rounded to u8; RGBA and LA premultiplied as Pillow
/// does. Works for up- and down-scaling, odd and one-pixel sides. Palette and bilevel images take
/// kNearest; 16-bit grey and float are resized in their own type, 16-bit colour is refused
/// (kUnsupported).
Image resize(const Image& image, int width, int height, Filter filter,
             PassOrder order = PassOrder::kPillow13);

/// Image.convert("RGB") of Pillow for every mode it converts.
Image to_rgb(const Image& image);

/// JPEG-encodes an RGB or grey image like Pillow's save(quality=…) (4:2:0, standard tables) and
/// decodes it again (libjpeg-turbo).
Image jpeg_round_trip(const Image& image, int quality);

}  // namespace vesalius::media
