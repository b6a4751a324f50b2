// How the samples of a TIFF are packed, and their unpacking into an Image.
#pragma once

#include "media/image.h"

namespace vesalius::media {

/// What the tags of a directory say about its samples.
struct TiffLayout {
  uint32_t width = 0, height = 0;
  uint16_t bits = 1, samples = 1, format = 1;  // of a sample; samples a pixel; SampleFormat
  uint16_t photometric = 0, compression = 1;
  bool planar = false;  // one plane a sample
  int alpha =
      -1;  // ExtraSamples of the sample behind the colours: 0 unspecified, 1 premultiplied, 2 not
  Mode mode = Mode::kGray;
};

/// The mode that a layout becomes, as Pillow's table of formats has it. Error kUnsupported for the
/// rest.
Mode tiff_mode(const TiffLayout& layout, const std::string& where);

/// A run of pixels of one row, as a strip or tile holds it: all samples of a pixel side by side,
/// or, when the layout is planar, sample `plane` alone.
struct TiffRun {
  const uint8_t* packed;
  uint32_t count;
  uint32_t x, y;
  int plane;
};

/// Unpacks one run into the image. Samples beyond those of the mode are dropped.
void unpack_tiff_run(const TiffLayout& layout, const TiffRun& run, Image& image);

/// Undoes premultiplied alpha, as Pillow does on reading.
void unpremultiply(Image& image);

}  // namespace vesalius::media
