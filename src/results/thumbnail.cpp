#include "results/thumbnail.h"

#include <jpeglib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <exception>
#include <limits>
#include <memory>

#include "media/dicom.h"
#include "media/dicom_display.h"
#include "media/image.h"
#include "media/resize.h"

namespace vesalius::results {
namespace {

constexpr size_t kRemembered = 512;
constexpr int kQuality = 84;

/// 16-bit and float samples stretched from their least to their largest value.
template <class T>
media::Image stretched(const media::Image& image) {
  const auto samples = image.pixels<T>();
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const T sample : samples) {
    const auto value = static_cast<double>(sample);
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  const double scale = high > low ? 255.0 / (high - low) : 0.0;
  media::Image grey{.width = image.width, .height = image.height, .mode = media::Mode::kGray};
  grey.data.reserve(samples.size());
  for (const T sample : samples) {
    const double value = (static_cast<double>(sample) - low) * scale;
    grey.data.push_back(std::isfinite(value) ? static_cast<uint8_t>(std::clamp(value, 0.0, 255.0))
                                             : 0);
  }
  return grey;
}

/// Upper bytes of 16-bit colour.
media::Image high_bytes(const media::Image& image) {
  const auto samples = image.pixels<uint16_t>();
  media::Image out{.width = image.width, .height = image.height};
  out.mode = image.mode == media::Mode::kRgb16 ? media::Mode::kRgb : media::Mode::kRgba;
  for (const uint16_t sample : samples) out.data.push_back(static_cast<uint8_t>(sample >> 8U));
  out.orientation = image.orientation;
  return out;
}

/// Anything to RGB or grey of 8 bits, as a person expects to see it.
media::Image viewable(const media::Image& image) {
  media::Image out;
  switch (image.mode) {
    case media::Mode::kGray16:
      out = stretched<uint16_t>(image);
      break;
    case media::Mode::kGrayFloat:
      out = stretched<float>(image);
      break;
    case media::Mode::kRgb16:
    case media::Mode::kRgba16:
      out = media::to_rgb(high_bytes(image));
      break;
    case media::Mode::kGray:
      return image;
    default:
      out = media::to_rgb(image);
  }
  out.orientation = image.orientation;
  return out;
}

/// Turned upright by its EXIF orientation (TIFF 6.0 tag 274, values 1 to 8).
media::Image upright(const media::Image& image) {
  const int o = image.orientation;
  if (o <= 1 || o > 8) return image;
  const int w = image.width, h = image.height, n = media::mode_channels(image.mode);
  const bool swapped = o >= 5;
  media::Image out{.width = swapped ? h : w, .height = swapped ? w : h, .mode = image.mode};
  out.data.resize(image.data.size());
  for (int y = 0; y < out.height; ++y)
    for (int x = 0; x < out.width; ++x) {
      int sx = swapped ? y : x, sy = swapped ? x : y;
      if (o == 2 || o == 3 || o == 7 || o == 8) sx = w - 1 - sx;
      if (o == 3 || o == 4 || o == 6 || o == 7) sy = h - 1 - sy;
      std::copy_n(&image.data[(static_cast<size_t>(sy) * w + sx) * n], n,
                  &out.data[(static_cast<size_t>(y) * out.width + x) * n]);
    }
  return out;
}

media::Image load(const std::string& file, int frame) {
  const auto mapped = MappedFile::open(file);
  if (!media::looks_like_dicom(mapped->bytes())) return media::decode_image(mapped->bytes(), file);
  const auto dicom = media::DicomFile::parse(mapped->bytes(), file);
  return media::display_frame(dicom.frame(frame), dicom.frame_info(frame), file);
}

media::Image shrunk(const media::Image& image, int longest) {
  const double scale = static_cast<double>(longest) / std::max(image.width, image.height);
  if (scale >= 1) return image;
  const auto side = [&](int pixels) {
    return std::max(1, static_cast<int>(std::lround(pixels * scale)));
  };
  return media::resize(image, side(image.width), side(image.height), media::Filter::kBicubic);
}

[[noreturn]] void on_jpeg_error(j_common_ptr info) {
  std::array<char, JMSG_LENGTH_MAX> text{};
  info->err->format_message(info, text.data());
  fail(ErrorCode::kFailed, "a thumbnail could not be encoded ({}).", text.data());
}

/// libjpeg's compressor, destroyed on the way out, with the memory it writes to.
struct Compressor {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  Compressor() {
    info.err = jpeg_std_error(&errors);
    errors.error_exit = on_jpeg_error;
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, &buffer, &size);
  }
  ~Compressor() {
    jpeg_destroy_compress(&info);
    std::free(buffer);
  }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
};

/// The JPEG file of an 8-bit grey or RGB image, base64.
std::string encode(const media::Image& image) {
  Compressor jpeg;
  const int channels = media::mode_channels(image.mode);
  jpeg.info.image_width = static_cast<JDIMENSION>(image.width);
  jpeg.info.image_height = static_cast<JDIMENSION>(image.height);
  jpeg.info.input_components = channels;
  jpeg.info.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&jpeg.info);
  jpeg_set_quality(&jpeg.info, kQuality, TRUE);
  jpeg.info.optimize_coding = TRUE;
  jpeg_start_compress(&jpeg.info, TRUE);
  const size_t stride = static_cast<size_t>(image.width) * static_cast<size_t>(channels);
  while (jpeg.info.next_scanline < jpeg.info.image_height) {
    JSAMPROW row = const_cast<JSAMPROW>(image.data.data() + jpeg.info.next_scanline * stride);
    jpeg_write_scanlines(&jpeg.info, &row, 1);
  }
  jpeg_finish_compress(&jpeg.info);
  return base64(jpeg.buffer, jpeg.size);
}

std::string draw(const std::string& file, int frame, int longest) {
  try {
    const media::Image small = shrunk(upright(viewable(load(file, frame))), longest);
    return "data:image/jpeg;base64," + encode(small);
  } catch (const std::exception&) {
    return "";  // a page with a gap is worth more than no page; the result itself reports what
                // failed
  }
}

}  // namespace

std::string base64(const void* data, size_t size) {
  constexpr const char* kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto* bytes = static_cast<const uint8_t*>(data);
  std::string text;
  text.reserve((size + 2) / 3 * 4);
  for (size_t i = 0; i < size; i += 3) {
    const size_t left = size - i;
    const uint32_t word = static_cast<uint32_t>(bytes[i]) << 16U |
                          (left > 1 ? static_cast<uint32_t>(bytes[i + 1]) << 8U : 0U) |
                          (left > 2 ? static_cast<uint32_t>(bytes[i + 2]) : 0U);
    text += kAlphabet[word >> 18U];
    text += kAlphabet[word >> 12U & 63U];
    text += left > 1 ? kAlphabet[word >> 6U & 63U] : '=';
    text += left > 2 ? kAlphabet[word & 63U] : '=';
  }
  return text;
}

std::string Thumbnails::of(const std::string& file, int frame) {
  const std::string key = std::to_string(frame) + " " + file;
  const auto known = drawn_.find(key);
  if (known != drawn_.end()) return known->second;
  if (drawn_.size() >= kRemembered) drawn_.clear();
  return drawn_[key] = draw(file, frame, longest_);
}

}  // namespace vesalius::results
