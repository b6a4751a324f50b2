#include "media/tiff_samples.h"

#include <tiff.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace vesalius::media {

namespace {
Mode gray_mode(const TiffLayout& layout) {
  if (layout.bits == 1) return Mode::kBilevel;
  if (layout.bits <= 8) return layout.alpha > 0 ? Mode::kGrayAlpha : Mode::kGray;
  const bool is_unsigned = layout.format == SAMPLEFORMAT_UINT;
  return is_unsigned && layout.bits <= 16 ? Mode::kGray16 : Mode::kGrayFloat;
}

Mode color_mode(const TiffLayout& layout) {
  // A fourth sample that no tag explains is taken to be alpha.
  const bool alpha = layout.alpha > 0 || (layout.alpha < 0 && layout.samples == 4);
  if (layout.bits == 16) return alpha ? Mode::kRgba16 : Mode::kRgb16;
  return alpha ? Mode::kRgba : Mode::kRgb;
}

bool known_gray(const TiffLayout& layout) {
  if (layout.samples == 2) return layout.bits == 8 && layout.alpha >= 0;
  if (layout.samples != 1) return false;
  if (layout.format == SAMPLEFORMAT_IEEEFP) return layout.bits == 32;
  constexpr int kDepths[] = {1, 2, 4, 8, 12, 16, 32};
  return std::find(std::begin(kDepths), std::end(kDepths), layout.bits) != std::end(kDepths);
}

bool known_color(const TiffLayout& layout, int colors) {
  return layout.samples >= colors && layout.samples <= 6 &&
         (layout.bits == 8 || layout.bits == 16) && layout.format == SAMPLEFORMAT_UINT;
}

/// A sample of up to eight bits to the byte that Pillow makes of it.
uint8_t widen(const TiffLayout& layout, uint32_t value) {
  if (layout.photometric == PHOTOMETRIC_PALETTE) return static_cast<uint8_t>(value);
  const uint32_t most = (1U << layout.bits) - 1;
  if (layout.photometric == PHOTOMETRIC_MINISWHITE) value = most - value;
  return static_cast<uint8_t>(value * 255 / most);
}

uint32_t packed_sample(const TiffLayout& layout, const uint8_t* packed, size_t index) {
  switch (layout.bits) {
    case 8:
      return packed[index];
    case 16: {
      uint16_t value = 0;
      std::memcpy(&value, packed + 2 * index, 2);
      return value;
    }
    case 32: {
      uint32_t value = 0;
      std::memcpy(&value, packed + 4 * index, 4);
      return value;
    }
    default: {  // 1, 2, 4 or 12 bits, the first in the highest
      uint32_t value = 0;
      for (size_t bit = index * layout.bits; bit < (index + 1) * layout.bits; ++bit) {
        value = value << 1 | (packed[bit / 8] >> (7 - bit % 8) & 1U);
      }
      return value;
    }
  }
}

float as_float(const TiffLayout& layout, uint32_t value) {
  if (layout.format == SAMPLEFORMAT_IEEEFP) return std::bit_cast<float>(value);
  if (layout.format == SAMPLEFORMAT_UINT) return static_cast<float>(value);
  if (layout.bits == 16) return static_cast<int16_t>(value);
  return static_cast<float>(static_cast<int32_t>(value));
}

void put(const TiffLayout& layout, uint32_t value, Image& image, size_t at) {
  const int bytes = mode_bytes(image.mode);
  if (bytes == 4) {
    const float real = as_float(layout, value);
    std::memcpy(image.data.data() + 4 * at, &real, 4);
  } else if (bytes == 2) {
    std::memcpy(image.data.data() + 2 * at, &value,
                2);  // the low half: our machines are little-endian
  } else if (layout.bits == 16) {
    image.data[at] = static_cast<uint8_t>(value >> 8);  // CMYK, as Pillow has it
  } else {
    image.data[at] = widen(layout, value);
  }
}

template <class T>
void unpremultiply_as(Image& image, uint64_t most) {
  const size_t channels = mode_channels(image.mode);
  auto* samples = reinterpret_cast<T*>(image.data.data());
  for (size_t i = 0; i + channels <= image.data.size() / sizeof(T); i += channels) {
    const uint64_t alpha = samples[i + channels - 1];
    for (size_t c = i; c + 1 < i + channels; ++c) {
      samples[c] = alpha == 0 ? 0 : static_cast<T>(std::min(most, samples[c] * most / alpha));
    }
  }
}
}  // namespace

Mode tiff_mode(const TiffLayout& layout, const std::string& where) {
  switch (layout.photometric) {
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_MINISBLACK:
      if (known_gray(layout)) return gray_mode(layout);
      break;
    case PHOTOMETRIC_RGB:
      if (known_color(layout, 3)) return color_mode(layout);
      break;
    case PHOTOMETRIC_YCBCR:
      if (layout.bits == 8 && layout.samples == 3) return Mode::kRgb;
      break;
    case PHOTOMETRIC_PALETTE:
      if (layout.bits <= 8 && layout.samples == 1) return Mode::kPalette;
      break;
    case PHOTOMETRIC_SEPARATED:
      if (known_color(layout, 4)) return Mode::kCmyk;
      break;
    default:
      break;
  }
  fail(ErrorCode::kUnsupported,
       "{}: a TIFF of photometric interpretation {} with {} samples of {} bits a pixel is not "
       "known here; "
       "convert it to grey, RGB or palette of 8 or 16 bits",
       where, layout.photometric, layout.samples, layout.bits);
}

void unpack_tiff_run(const TiffLayout& layout, const TiffRun& run, Image& image) {
  const int channels = mode_channels(image.mode);
  const size_t start = (size_t{run.y} * image.width + run.x) * channels;
  if (layout.planar) {
    if (run.plane >= channels) return;
    for (size_t i = 0; i < run.count; ++i) {
      put(layout, packed_sample(layout, run.packed, i), image, start + i * channels + run.plane);
    }
    return;
  }
  for (size_t i = 0; i < run.count; ++i) {
    for (int c = 0; c < channels; ++c) {
      put(layout, packed_sample(layout, run.packed, i * layout.samples + c), image,
          start + i * channels + c);
    }
  }
}

void unpremultiply(Image& image) {
  if (mode_bytes(image.mode) == 2) {
    unpremultiply_as<uint16_t>(image, 0xFFFF);
  } else {
    unpremultiply_as<uint8_t>(image, 0xFF);
  }
}

}  // namespace vesalius::media
