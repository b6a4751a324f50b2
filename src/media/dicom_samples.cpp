#include "media/dicom_samples.h"

#include <algorithm>
#include <cmath>

namespace vesalius::media {

namespace {
bool is_422(const std::string& photometric) { return photometric == "YBR_FULL_422"; }

/// `count` samples from `first` on, in the order in which they are stored.
std::vector<int32_t> stored_samples(const NativePixels& pixels, int bits, uint64_t first,
                                    size_t count) {
  std::vector<int32_t> out(count);
  const uint8_t* bytes = pixels.bytes.data();
  for (size_t i = 0; i < count; ++i) {
    const uint64_t at = first + i;
    switch (bits) {
      case 1:
        out[i] = bytes[at / 8] >> (at % 8) & 1;
        break;
      case 8:
        out[i] = bytes[at];
        break;
      case 16: {
        const uint8_t low = bytes[2 * at], high = bytes[2 * at + 1];
        out[i] = pixels.swap_bytes ? low << 8 | high : high << 8 | low;
        break;
      }
      default: {
        const uint8_t* word = bytes + 4 * at;
        const uint32_t a = word[0] | uint32_t{word[1]} << 8, b = word[2] | uint32_t{word[3]} << 8;
        out[i] = static_cast<int32_t>(pixels.swap_words ? a << 16 | b : b << 16 | a);
      }
    }
  }
  return out;
}

/// Y Y B R of two pixels to Y B R Y B R.
std::vector<int32_t> spread_chroma(const std::vector<int32_t>& in) {
  std::vector<int32_t> out;
  out.reserve(in.size() / 2 * 3);
  for (size_t i = 0; i + 4 <= in.size(); i += 4) {
    out.insert(out.end(), {in[i], in[i + 2], in[i + 3], in[i + 1], in[i + 2], in[i + 3]});
  }
  return out;
}

std::vector<int32_t> interleave(const std::vector<int32_t>& planes, size_t samples) {
  std::vector<int32_t> out(planes.size());
  const size_t pixels = planes.size() / samples;
  for (size_t c = 0; c < samples; ++c) {
    for (size_t i = 0; i < pixels; ++i) out[i * samples + c] = planes[c * pixels + i];
  }
  return out;
}

size_t stored_count(const DicomInfo& info, const std::string& photometric) {
  const size_t count = static_cast<size_t>(info.rows) * info.columns * info.samples;
  return is_422(photometric) ? count / 3 * 2 : count;
}

int32_t round_to_byte(float value) {
  return static_cast<int32_t>(std::clamp(std::floor(value + 0.5F), 0.0F, 255.0F));
}
}  // namespace

uint64_t native_frame_bits(const DicomInfo& info, const std::string& photometric) {
  return stored_count(info, photometric) * static_cast<uint64_t>(info.bits_allocated);
}

std::vector<int32_t> native_frame(const NativePixels& pixels, const DicomInfo& info,
                                  const std::string& photometric, int index) {
  const size_t count = stored_count(info, photometric);
  std::vector<int32_t> samples = stored_samples(
      pixels, info.bits_allocated, uint64_t{count} * static_cast<uint64_t>(index), count);
  if (is_422(photometric)) {
    samples = spread_chroma(samples);
    samples.resize(static_cast<size_t>(info.rows) * info.columns *
                   info.samples);  // an odd last pixel
    return samples;
  }
  return pixels.planar ? interleave(samples, info.samples) : samples;
}

void cut_to_bits(std::vector<int32_t>& values, int bits, bool is_signed) {
  if (bits >= 32) return;
  const int shift = 32 - bits;
  for (int32_t& value : values) {
    const uint32_t high = static_cast<uint32_t>(value) << shift;
    value = is_signed ? static_cast<int32_t>(high) >> shift : static_cast<int32_t>(high >> shift);
  }
}

void ybr_to_rgb(std::vector<int32_t>& values) {
  constexpr float kRed = 1.402F, kBlue = 1.772F;
  constexpr float kGreenBlue = -0.114 * 1.772 / 0.587, kGreenRed = -0.299 * 1.402 / 0.587;
  for (size_t i = 0; i + 3 <= values.size(); i += 3) {
    const auto y = static_cast<float>(values[i]);
    const auto b = static_cast<float>(values[i + 1] - 128),
               r = static_cast<float>(values[i + 2] - 128);
    values[i] = round_to_byte(y + kRed * r);
    values[i + 1] = round_to_byte(y + kGreenBlue * b + kGreenRed * r);
    values[i + 2] = round_to_byte(y + kBlue * b);
  }
}

}  // namespace vesalius::media
