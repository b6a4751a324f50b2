#include "tasks/segment_input.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "media/dicom_display.h"
#include "media/nifti.h"
#include "media/resize.h"
#include "media/walk.h"
#include "recipes/orientation.h"
#include "recipes/recipe.h"
#include "recipes/steps.h"

namespace vesalius::tasks {

namespace {

using media::DicomFile;
using media::DicomInfo;
using media::Image;
using media::Mode;

std::vector<float> mean_of_colours(const Image& rgb) {
  std::vector<float> out(rgb.data.size() / 3);
  for (size_t i = 0; i < out.size(); ++i) {
    const uint8_t* pixel = rgb.data.data() + 3 * i;
    out[i] = static_cast<float>(pixel[0] + pixel[1] + pixel[2]) / 3.0F;
  }
  return out;
}

template <class T>
std::vector<float> every(std::span<const T> samples, size_t channels) {
  std::vector<float> out;
  out.reserve(samples.size() / channels);
  for (size_t i = 0; i < samples.size(); i += channels)
    out.push_back(static_cast<float>(samples[i]));
  return out;
}

// Grey as it is stored, colour by its mean.
std::vector<float> raw_values(const Image& image, const Image& rgb) {
  switch (image.mode) {
    case Mode::kGray:
      return every(image.pixels<uint8_t>(), 1);
    case Mode::kGrayAlpha:
      return every(image.pixels<uint8_t>(), 2);
    case Mode::kGray16:
      return every(image.pixels<uint16_t>(), 1);
    case Mode::kGrayFloat:
      return every(image.pixels<float>(), 1);
    default:
      return mean_of_colours(rgb);
  }
}

media::Grid plane_grid(const Image& picture) {
  return {.size = {picture.width, picture.height, 1}, .placed = false};
}

SegmentInput read_picture(Bytes bytes, const std::string& where) {
  const Image image = media::decode_image(bytes, where);
  SegmentInput input;
  input.picture = recipes::shown(recipes::make_recipe("vesalius"), image);
  input.volume = {plane_grid(input.picture), raw_values(recipes::upright(image), input.picture)};
  if (image.orientation > 1 && image.orientation <= 8)
    input.remarks.push_back(fmt::format(
        "the picture was turned upright (EXIF orientation {}); masks are of it as it is shown",
        image.orientation));
  return input;
}

// Where one frame lies, as far as it tells.
media::Grid frame_grid(const DicomInfo& info, const Image& picture) {
  media::Grid grid = plane_grid(picture);
  if (info.pixel_spacing.size() != 2) return grid;
  media::Grid placed = grid;
  const double between_rows = info.pixel_spacing[0], between_columns = info.pixel_spacing[1];
  placed.placed = info.image_position.size() == 3 && info.image_orientation.size() == 6;
  placed.step = {{{between_columns, 0, 0}, {0, between_rows, 0}, {0, 0, 1}}};
  if (placed.placed) {
    for (size_t x = 0; x < 3; ++x) {
      placed.origin[x] = info.image_position[x];
      placed.step[0][x] = between_columns * info.image_orientation[x];
      placed.step[1][x] = between_rows * info.image_orientation[3 + x];
    }
    placed.step[2] = media::cross(placed.step[0], placed.step[1]);
    const double size = media::length(placed.step[2]);
    for (double& x : placed.step[2]) x /= size;
  }
  return media::spans_space(placed) ? placed : grid;
}

std::vector<float> frame_values(const DicomFile& file, const DicomInfo& info, int frame,
                                const Image& picture) {
  const media::DicomFrame stored = file.frame(frame);
  if (stored.samples != 1 || !info.photometric.starts_with("MONOCHROME"))
    return mean_of_colours(picture);
  std::vector<double> values(stored.values.begin(), stored.values.end());
  if (!info.is_signed)  // 32-bit samples without sign are kept as their bits
    for (double& value : values) value = value < 0 ? value + 0x1p32 : value;
  values = media::modality_values(std::move(values), info);
  return {values.begin(), values.end()};
}

bool is_volume(const DicomInfo& info) {
  constexpr std::array<std::string_view, 3> kModalities{"CT", "MR", "PT"};
  return info.samples == 1 && info.photometric.starts_with("MONOCHROME") &&
         std::ranges::find(kModalities, info.modality) != kModalities.end();
}

void take_dicom(SegmentInput& input, const DicomInfo& info) {
  input.dicom = info;
  input.modality = info.modality;
  input.body_part = info.body_part;
  input.eight_bit = info.bits_stored <= 8 && !info.is_signed && !info.modality_lut &&
                    info.rescale_slope == 1 && info.rescale_intercept == 0;
}

SegmentInput read_series(const fs::path& path, const SegmentInputOptions& options) {
  media::DicomVolume read = media::read_dicom_volume({path}, options.series);
  SegmentInput input;
  input.kind = InputKind::kVolume;
  take_dicom(input, read.info);
  input.volume = std::move(read.volume);
  input.slices = std::move(read.slices);
  input.remarks = std::move(read.remarks);
  return input;
}

SegmentInput read_dicom_picture(const fs::path& path, const DicomFile& file, int frame) {
  if (frame < 0 || frame >= file.info().frames)
    fail(ErrorCode::kUsage, "{} has {} frame(s); there is no frame {} (the first is 0)",
         path.string(), file.info().frames, frame);
  const DicomInfo info = file.frame_info(frame);
  SegmentInput input;
  take_dicom(input, info);
  input.picture =
      media::to_rgb(recipes::shown(recipes::make_recipe("vesalius"), file, frame, path.string()));
  input.volume = {frame_grid(info, input.picture), frame_values(file, info, frame, input.picture)};
  input.slices = {{path, info.sop_class_uid, info.sop_instance_uid, frame}};
  return input;
}

SegmentInput read_dicom(const fs::path& path, const SegmentInputOptions& options) {
  const DicomFile file = DicomFile::open(path);
  if (is_volume(file.info())) return read_series(path, options);
  return read_dicom_picture(path, file, options.frame);
}

// One image in a folder is read as if it were named: a radiograph is no volume.
SegmentInput read_folder(const fs::path& folder, const SegmentInputOptions& options) {
  std::vector<fs::path> images;
  for (const media::Found& found : media::walk_folder(folder)) {
    if (!found.problem.empty() || images.size() > 1) continue;
    const auto file = MappedFile::open(found.path);
    if (media::looks_like_dicom(file->bytes()) && media::may_be_image(file->bytes()))
      images.push_back(found.path);
  }
  return images.size() == 1 ? read_dicom(images.front(), options) : read_series(folder, options);
}

SegmentInput read_nifti_input(const fs::path& path, const SegmentInputOptions& options) {
  media::NiftiImage image = media::read_nifti(path, {options.nifti_volume});
  SegmentInput input;
  input.kind = InputKind::kVolume;
  input.volume = std::move(image.volume);
  input.nifti = std::move(image.header);
  return input;
}

SegmentInput read_challenge(const fs::path& path) {
  const media::NpzFile file = media::NpzFile::open(path);
  SegmentInput input;
  input.kind = InputKind::kVolume;
  input.volume = media::read_npz_volume(file);
  if (file.has("text_prompts")) input.prompts = media::read_text_prompts(file);
  return input;
}

bool ends_in(const std::string& name, std::initializer_list<std::string_view> endings) {
  return std::ranges::any_of(endings, [&](std::string_view end) { return name.ends_with(end); });
}

SegmentInput read_any(const fs::path& path, const SegmentInputOptions& options) {
  const std::string name = path.filename().string();
  if (fs::is_directory(path)) return read_folder(path, options);
  if (ends_in(name, {".nii", ".nii.gz", ".hdr", ".hdr.gz", ".img", ".img.gz"}))
    return read_nifti_input(path, options);
  if (ends_in(name, {".npz"})) return read_challenge(path);
  const auto file = MappedFile::open(path);
  if (media::looks_like_dicom(file->bytes())) return read_dicom(path, options);
  return read_picture(file->bytes(), path.string());
}

// The least and the greatest number among them, and how many are none.
struct Extent {
  float least = 0, greatest = 0;
  int64_t missing = 0;
  bool whole = true;
};

Extent extent_of(const std::vector<float>& values) {
  Extent extent;
  bool first = true;
  for (const float value : values) {
    if (!std::isfinite(value)) {
      ++extent.missing;
      continue;
    }
    extent.least = first ? value : std::min(extent.least, value);
    extent.greatest = first ? value : std::max(extent.greatest, value);
    extent.whole = extent.whole && value == std::floor(value);
    first = false;
  }
  return extent;
}

void fill_missing(SegmentInput& input, const Extent& extent) {
  if (extent.missing == 0) return;
  for (float& value : input.volume.values) {
    if (!std::isfinite(value)) value = value > 0 ? extent.greatest : extent.least;
  }
  input.remarks.push_back(fmt::format(
      "{} values are no numbers (NaN or infinite); they count as the least one, {}, and positive "
      "infinity as the greatest, {}",
      extent.missing, extent.least, extent.greatest));
}

// Air lies at -1000 HU, and what scanners put outside of their field down to -3024; no magnitude
// image goes below 0, and phases reach -4096.
void guess_modality(SegmentInput& input, const Extent& extent) {
  const bool like_ct = extent.least <= -900 && extent.least >= -3100 && extent.greatest > 100;
  if (input.kind != InputKind::kVolume || !input.modality.empty() || !like_ct) return;
  input.modality = "CT";
  input.remarks.push_back(fmt::format(
      "no modality is told; values from {} to {} look like Hounsfield units, so it is taken for a "
      "CT (name the modality if it is none)",
      extent.least, extent.greatest));
}

}  // namespace

SegmentInput read_segment_input(const fs::path& path, const SegmentInputOptions& options) {
  SegmentInput input = read_any(path, options);
  input.path = path.string();
  if (!options.modality.empty()) input.modality = options.modality;
  if (!options.body_part.empty()) input.body_part = options.body_part;
  const Extent extent = extent_of(input.volume.values);
  fill_missing(input, extent);
  guess_modality(input, extent);
  if (!input.dicom) input.eight_bit = extent.whole && extent.least >= 0 && extent.greatest <= 255;
  if (extent.least == extent.greatest)
    input.remarks.push_back(
        fmt::format("all values are the same ({}): there is nothing to see", extent.least));
  return input;
}

ImageHints hints_of(const SegmentInput& input) {
  return {.modality = input.modality,
          .body_part = input.body_part,
          .description = input.dicom ? input.dicom->series_description : ""};
}

}  // namespace vesalius::tasks
