// JPEG through libjpeg-turbo, for image files and for the frames of DICOM objects.
#pragma once

#include "media/image.h"

namespace vesalius::media {

/// What becomes of three components that are stored as YCbCr.
enum class JpegColor {
  kRgb,     // converted by libjpeg, as viewers and Pillow do
  kStored,  // left as they are stored
};

/// Baseline, extended and progressive JPEG of 8 bits: kGray, kRgb (or the stored components in its
/// place) or kCmyk. Integer DCT, smooth chroma upsampling, hence the bytes that Pillow gives. A
/// file that ends before its end marker is an Error kUnsupported.
Image decode_jpeg(Bytes bytes, const std::string& where, JpegColor color);

}  // namespace vesalius::media
