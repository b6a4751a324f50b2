// A decoded still image as its file holds it: no colour conversion, no rotation, no scaling.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"

namespace vesalius::media {

/// How samples are to be read. The names are Pillow's modes where it has one.
enum class Mode {
  kBilevel,    // Pillow "1": one u8 a pixel, 0 or 255
  kGray,       // "L": u8
  kGrayAlpha,  // "LA": u8 x 2
  kPalette,    // "P": u8 indices into `palette`
  kRgb,        // "RGB": u8 x 3
  kRgba,       // "RGBA": u8 x 4
  kGray16,     // "I;16": u16
  kCmyk,       // "CMYK": u8 x 4
  kRgb16,      // 16-bit colour, u16 x 3 (Pillow reduces it to 8 bits; we keep it)
  kRgba16,     // u16 x 4
  kGrayFloat,  // "F": f32
};

/// "L", "RGB", … for error messages and results.
const char* mode_name(Mode mode);
int mode_channels(Mode mode);
int mode_bytes(Mode mode);  // of one sample

/// Row-major, channels interleaved, native byte order, no row padding.
struct Image {
  int width = 0, height = 0;
  Mode mode = Mode::kGray;
  std::vector<uint8_t> data;
  std::vector<uint8_t> palette;        // 256 RGB triples for kPalette
  std::vector<uint8_t> palette_alpha;  // from PNG tRNS, 0 to 256 entries
  int orientation = 1;                 // EXIF, 1 to 8; not applied

  template <class T>
  std::span<const T> pixels() const {
    return {reinterpret_cast<const T*>(data.data()), data.size() / sizeof(T)};
  }
};

/// No input may ask for more than this many samples, whatever its header claims.
inline constexpr int64_t kMaxSamples = int64_t{1} << 31;

/// Decodes PNG, JPEG or TIFF bytes by their signature. `where` names the input in errors.
/// Error kUnsupported for anything else, truncated, or larger than kMaxSamples.
Image decode_image(Bytes bytes, const std::string& where);

}  // namespace vesalius::media
