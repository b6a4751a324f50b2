#include "tasks/mask_files.h"

#include <algorithm>
#include <cmath>

#include "base/ascii.h"
#include "base/error.h"
#include "media/image.h"
#include "media/nifti.h"

namespace vesalius::tasks {
namespace {

using media::LabelVolume;
using Labels = std::vector<uint16_t>;

template <class T>
Labels first_samples(const media::Image& image, int channels) {
  const auto samples = image.pixels<T>();
  Labels labels(samples.size() / static_cast<size_t>(channels));
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = samples[i * static_cast<size_t>(channels)];
  return labels;
}

/// Red of every pixel. Error where it is not green and blue as well.
template <class T>
Labels grey_of_colour(const media::Image& image, int channels, const std::string& where) {
  const auto samples = image.pixels<T>();
  for (size_t i = 0; i < samples.size(); i += static_cast<size_t>(channels))
    if (samples[i] != samples[i + 1] || samples[i] != samples[i + 2])
      fail(ErrorCode::kUnsupported,
           "{}: holds colours, which are no labels. Save the mask in shades of grey or with a "
           "palette.",
           where);
  return first_samples<T>(image, channels);
}

Labels labels_of(const media::Image& image, const std::string& where) {
  using media::Mode;
  const int channels = media::mode_channels(image.mode);
  switch (image.mode) {
    case Mode::kBilevel:
    case Mode::kGray:
    case Mode::kGrayAlpha:
    case Mode::kPalette:
      return first_samples<uint8_t>(image, channels);
    case Mode::kGray16:
      return first_samples<uint16_t>(image, channels);
    case Mode::kRgb:
    case Mode::kRgba:
      return grey_of_colour<uint8_t>(image, channels, where);
    case Mode::kRgb16:
    case Mode::kRgba16:
      return grey_of_colour<uint16_t>(image, channels, where);
    default:
      break;
  }
  fail(ErrorCode::kUnsupported, "{}: an image of kind {} holds no labels. Save it as 8-bit grey.",
       where, media::mode_name(image.mode));
}

LabelVolume read_picture(const fs::path& path) {
  const auto file = MappedFile::open(path);
  const media::Image image = media::decode_image(file->bytes(), path.string());
  LabelVolume volume;
  volume.grid.size = {image.width, image.height, 1};
  volume.grid.placed = false;
  volume.labels = labels_of(image, path.string());
  return volume;
}

LabelVolume read_nifti_labels(const fs::path& path) {
  const media::Volume image = media::read_nifti(path).volume;
  LabelVolume volume{image.grid, Labels(image.values.size())};
  for (size_t i = 0; i < image.values.size(); ++i) {
    const float value = image.values[i];
    if (!(value >= 0 && value <= 65535) || value != std::floor(value))
      fail(ErrorCode::kUnsupported,
           "{}: holds the value {}; labels are whole numbers from 0 to 65535. Probabilities must "
           "be cut to a mask first.",
           path.string(), value);
    volume.labels[i] = static_cast<uint16_t>(value);
  }
  return volume;
}

LabelVolume read_archive(const fs::path& path) {
  const media::NpzFile file = media::NpzFile::open(path);
  for (const char* name : {"segs", "gts", "masks"})
    if (file.has(name)) return media::read_npz_labels(file, name);
  const auto names = file.names();
  if (names.size() == 1) return media::read_npz_labels(file, names[0]);
  fail(ErrorCode::kUnsupported, "{}: has {} arrays, and none of them is `segs`, `gts` or `masks`.",
       path.string(), names.size());
}

struct Format {
  const char* ending;
  LabelVolume (*read)(const fs::path&);
};

constexpr Format kFormats[] = {
    {".png", read_picture},      {".tif", read_picture},         {".tiff", read_picture},
    {".nii", read_nifti_labels}, {".nii.gz", read_nifti_labels}, {".npz", read_archive},
};

const Format* format_of(const fs::path& path) {
  const std::string name = lowered(path.filename().string());
  const auto* found = std::find_if(std::begin(kFormats), std::end(kFormats),
                                   [&](const Format& f) { return name.ends_with(f.ending); });
  return found == std::end(kFormats) ? nullptr : found;
}

}  // namespace

bool may_be_mask(const fs::path& path) { return format_of(path) != nullptr; }

LabelVolume read_mask(const fs::path& path) {
  const Format* format = format_of(path);
  if (format == nullptr)
    fail(ErrorCode::kUnsupported,
         "{}: is no mask that is read here. PNG, TIFF, NIfTI (.nii, .nii.gz) and .npz are.",
         path.string());
  return format->read(path);
}

}  // namespace vesalius::tasks
