#include "media/dicom_display.h"

#include <algorithm>
#include <cmath>

namespace vesalius::media {

namespace {
uint16_t look_up(const Lut& lut, double value) {
  const double at = std::trunc(value - lut.first);
  const double last = static_cast<double>(lut.values.size() - 1);
  return lut.values[static_cast<size_t>(std::clamp(at, 0.0, last))];
}

/// What the stored bits can hold, rescaled: the range of a window's output.
std::pair<double, double> output_range(const DicomInfo& info) {
  if (info.modality_lut) return {0, std::ldexp(1.0, info.modality_lut->bits) - 1};
  const double least = info.is_signed ? -std::ldexp(1.0, info.bits_stored - 1) : 0;
  const double greatest = std::ldexp(1.0, info.bits_stored - (info.is_signed ? 1 : 0)) - 1;
  return {least * info.rescale_slope + info.rescale_intercept,
          greatest * info.rescale_slope + info.rescale_intercept};
}

bool usable(const Window& window, const std::string& function) {
  return function == "LINEAR" ? window.width >= 1 : window.width > 0;
}

void apply_linear(std::vector<double>& values, double center, double width, double low,
                  double high) {
  for (double& value : values) {
    if (value <= center - width / 2) {
      value = low;
    } else if (value > center + width / 2) {
      value = high;
    } else {
      value = ((value - center) / width + 0.5) * (high - low) + low;
    }
  }
}

VoiValues apply_window(std::vector<double> values, const DicomInfo& info) {
  const auto [low, high] = output_range(info);
  Window window = info.windows.front();
  if (info.voi_lut_function == "SIGMOID") {
    for (double& value : values) {
      value = (high - low) / (1 + std::exp(-4 * (value - window.center) / window.width)) + low;
    }
    return {std::move(values), low, high};
  }
  if (info.voi_lut_function == "LINEAR") {
    window.center -= 0.5;
    window.width -= 1;
  }
  apply_linear(values, window.center, window.width, low, high);
  return {std::move(values), low, high};
}

uint8_t to_byte(double value, const VoiValues& range) {
  const double span = range.high - range.low;
  const double part = span == 0 ? 0 : (value - range.low) / span;
  return static_cast<uint8_t>(std::lround(std::clamp(part, 0.0, 1.0) * 255));
}

std::vector<uint8_t> gray_bytes(std::vector<double> stored, const DicomInfo& info) {
  const VoiValues shown = voi_values(modality_values(std::move(stored), info), info);
  const int invert = info.photometric == "MONOCHROME1" ? 255 : 0;
  std::vector<uint8_t> out(shown.values.size());
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<uint8_t>(to_byte(shown.values[i], shown) ^ invert);
  }
  return out;
}

/// 32-bit samples without sign are kept as their bits; here they become numbers again.
double number_of(int32_t value, const DicomInfo& info) {
  return info.is_signed ? value : static_cast<double>(static_cast<uint32_t>(value));
}

/// Most frames hold fewer different values than pixels: each value between the least and the
/// greatest is looked up once.
std::vector<uint8_t> display_gray(const DicomFrame& frame, const DicomInfo& info) {
  const auto [least, greatest] = std::minmax_element(frame.values.begin(), frame.values.end());
  const int64_t range = int64_t{*greatest} - *least + 1;
  const bool few = range <= (1 << 16) && (info.is_signed || *least >= 0);
  std::vector<double> stored(few ? static_cast<size_t>(range) : frame.values.size());
  for (size_t i = 0; i < stored.size(); ++i) {
    stored[i] = few ? static_cast<double>(*least + static_cast<int64_t>(i))
                    : number_of(frame.values[i], info);
  }
  std::vector<uint8_t> bytes = gray_bytes(std::move(stored), info);
  if (!few) return bytes;
  std::vector<uint8_t> out(frame.values.size());
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = bytes[static_cast<size_t>(int64_t{frame.values[i]} - *least)];
  return out;
}

/// Samples of any depth to eight bits: by their share of the greatest.
std::vector<uint8_t> display_rgb(const DicomFrame& frame, const DicomInfo& info) {
  const double greatest = std::ldexp(1.0, info.bits_stored) - 1;
  std::vector<uint8_t> out(frame.values.size());
  for (size_t i = 0; i < out.size(); ++i) {
    const double part = number_of(frame.values[i], info) / greatest;
    out[i] = static_cast<uint8_t>(std::lround(std::clamp(part, 0.0, 1.0) * 255));
  }
  return out;
}

std::vector<uint8_t> display_palette(const DicomFrame& frame, const DicomInfo& info,
                                     const std::string& where) {
  std::vector<uint8_t> out;
  out.reserve(frame.values.size() * 3);
  for (const auto& lut : info.palette) {
    if (!lut) {
      fail(ErrorCode::kUnsupported,
           "{}: a palette image without red, green and blue tables, or with segmented ones, which "
           "are not read "
           "here; convert it to RGB",
           where);
    }
  }
  for (const int32_t value : frame.values) {
    for (const auto& lut : info.palette) {
      const int shift = std::max(0, lut->bits - 8);
      out.push_back(static_cast<uint8_t>(look_up(*lut, value) >> shift));
    }
  }
  return out;
}
}  // namespace

std::vector<double> modality_values(std::vector<double> stored, const DicomInfo& info) {
  for (double& value : stored) {
    value = info.modality_lut ? look_up(*info.modality_lut, value)
                              : value * info.rescale_slope + info.rescale_intercept;
  }
  return stored;
}

VoiValues voi_values(std::vector<double> values, const DicomInfo& info) {
  if (info.voi_lut) {
    for (double& value : values) value = look_up(*info.voi_lut, value);
    return {std::move(values), 0, std::ldexp(1.0, info.voi_lut->bits) - 1};
  }
  if (!info.windows.empty() && usable(info.windows.front(), info.voi_lut_function)) {
    return apply_window(std::move(values), info);
  }
  if (values.empty()) return {};
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  const double low = *least, high = *greatest;
  return {std::move(values), low, high};
}

Image display_frame(const DicomFrame& frame, const DicomInfo& info, const std::string& where) {
  Image image;
  image.width = frame.columns;
  image.height = frame.rows;
  if (info.photometric == "MONOCHROME1" || info.photometric == "MONOCHROME2") {
    image.mode = Mode::kGray;
    image.data = display_gray(frame, info);
  } else if (info.photometric == "PALETTE COLOR") {
    image.mode = Mode::kRgb;
    image.data = display_palette(frame, info, where);
  } else if (info.photometric == "RGB" && frame.samples == 3) {
    image.mode = Mode::kRgb;
    image.data = display_rgb(frame, info);
  } else {
    fail(ErrorCode::kUnsupported,
         "{}: pixels of photometric interpretation \"{}\" with {} sample(s) have no colours here; "
         "convert the file "
         "to MONOCHROME2 or RGB",
         where, info.photometric, frame.samples);
  }
  return image;
}

}  // namespace vesalius::media
