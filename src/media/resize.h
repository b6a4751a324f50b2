// Pillow's resampling, to the bit.
#pragma once

#include "media/image.h"

namespace vesalius::media {

enum class Filter { kNearest, kBilinear, kBicubic };

/// Image.resize((width, height), filter) of Pillow for 8-bit images of any channel count:
/// horizontal pass, then vertical, each rounded to u8; RGBA and LA premultiplied as Pillow does.
/// Works for up- and down-scaling, odd and one-pixel sides. Palette and bilevel images take kNearest.
Image resize(const Image& image, int width, int height, Filter filter);

/// Image.convert("RGB") of Pillow for every mode it converts.
Image to_rgb(const Image& image);

/// JPEG-encodes an RGB or grey image like Pillow's save(quality=…) (4:2:0, standard tables) and decodes it
/// again (libjpeg-turbo).
Image jpeg_round_trip(const Image& image, int quality);

}  // namespace vesalius::media
