#include "media/image.h"

#include "media/codecs.h"

namespace vesalius::media {

namespace {
struct ModeTraits {
  const char* name;
  int channels, bytes;
};

ModeTraits traits(Mode mode) {
  switch (mode) {
    case Mode::kBilevel:
      return {"1", 1, 1};
    case Mode::kGray:
      return {"L", 1, 1};
    case Mode::kGrayAlpha:
      return {"LA", 2, 1};
    case Mode::kPalette:
      return {"P", 1, 1};
    case Mode::kRgb:
      return {"RGB", 3, 1};
    case Mode::kRgba:
      return {"RGBA", 4, 1};
    case Mode::kGray16:
      return {"I;16", 1, 2};
    case Mode::kCmyk:
      return {"CMYK", 4, 1};
    case Mode::kRgb16:
      return {"RGB;16", 3, 2};
    case Mode::kRgba16:
      return {"RGBA;16", 4, 2};
    case Mode::kGrayFloat:
      return {"F", 1, 4};
  }
  return {"?", 0, 0};
}
}  // namespace

const char* mode_name(Mode mode) { return traits(mode).name; }
int mode_channels(Mode mode) { return traits(mode).channels; }
int mode_bytes(Mode mode) { return traits(mode).bytes; }

bool plausible_size(double decoded_bytes, size_t file_bytes) {
  constexpr double kAlwaysGranted = 256 << 20, kMaxRatio = 4096;
  return decoded_bytes <= kAlwaysGranted ||
         decoded_bytes <= static_cast<double>(file_bytes) * kMaxRatio;
}

Image allocate_image(int64_t width, int64_t height, Mode mode, size_t file_bytes, double max_ratio,
                     const std::string& where) {
  if (width < 1 || height < 1) {
    fail(ErrorCode::kUnsupported, "{}: the image is {} x {} pixels; there is nothing to read",
         where, width, height);
  }
  // Sides are at most 2^32, so products of three stay exact enough in double and cannot wrap.
  const double samples = double(width) * double(height) * mode_channels(mode);
  constexpr int64_t kMaxSide = 0x7fffffff;
  if (samples > double(kMaxSamples) || width > kMaxSide || height > kMaxSide) {
    fail(ErrorCode::kUnsupported,
         "{}: {} x {} pixels of mode {} are more than the {} samples that one image may have; give "
         "a smaller "
         "image or a part of it",
         where, width, height, mode_name(mode), kMaxSamples);
  }
  constexpr double kSlack = 1 << 16;  // small images may be all header
  const double decoded = samples * mode_bytes(mode);
  if (decoded > double(file_bytes) * max_ratio + kSlack || !plausible_size(decoded, file_bytes)) {
    fail(ErrorCode::kUnsupported,
         "{}: the header claims {} x {} pixels, which {} bytes of file cannot hold; the file is "
         "truncated or "
         "its header is wrong",
         where, width, height, file_bytes);
  }
  Image image;
  image.width = static_cast<int>(width);
  image.height = static_cast<int>(height);
  image.mode = mode;
  image.data.resize(static_cast<size_t>(decoded));
  return image;
}

void fail_damaged(const std::string& where, const char* format, const std::string& reason) {
  fail(ErrorCode::kUnsupported,
       "{}: the {} data cannot be decoded ({}); the file is truncated or damaged", where, format,
       reason);
}

Image decode_image(Bytes bytes, const std::string& where) {
  if (is_png(bytes)) return decode_png(bytes, where);
  if (is_jpeg(bytes)) return decode_jpeg(bytes, where);
  if (is_tiff(bytes)) return decode_tiff(bytes, where);
  if (bytes.empty()) fail(ErrorCode::kUnsupported, "{}: the file is empty", where);
  fail(ErrorCode::kUnsupported, "{}: not a PNG, JPEG or TIFF image; convert it to one of these",
       where);
}

}  // namespace vesalius::media
