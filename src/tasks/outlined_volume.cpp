#include "tasks/outlined_volume.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>

#include "base/error.h"
#include "tasks/mask_files.h"
#include "tasks/planes.h"
#include "tasks/same_grid.h"

namespace vesalius::tasks {
namespace {

constexpr int64_t kBatch = 8;  // slices at a time

using Masks = std::map<fs::path, std::vector<uint16_t>>;  // labels by file

void check_labels(const OutlinedImage& image, const fs::path& file,
                  const std::vector<uint16_t>& labels) {
  std::set<uint16_t> values(labels.begin(), labels.end());
  values.erase(0);
  for (const uint16_t value : values)
    if (std::ranges::none_of(image.outlines, [&](const Outline& outline) {
          return outline.mask == file && outline.holds(value);
        }))
      fail(ErrorCode::kUnsupported, "{}: holds the label {}, for which there are no words.",
           file.string(), value);
}

/// A target on a plane; undefined where it is not in the slice.
at::Tensor target_on(const Outline& outline, const std::vector<uint16_t>& labels,
                     const PlaneLayout& layout) {
  const auto holds = [&](uint16_t value) { return outline.holds(value); };
  if (std::ranges::none_of(labels, holds)) return {};
  auto mask = at::empty({layout.rows, layout.columns}, at::kByte);
  std::ranges::transform(labels, mask.data_ptr<uint8_t>(), holds);
  return plane_mask(padded(mask, layout.padding), layout.side);
}

void add_view(const OutlinedImage& image, const SegmentInput& input, const Masks& masks,
              const PlaneOptions& options, std::vector<OutlinedSample>& samples) {
  const Planes planes(input, options);
  for (int64_t begin = 0; begin < planes.count(); begin += kBatch) {
    const int64_t end = std::min(begin + kBatch, planes.count());
    const auto pixels = planes.batch(begin, end).round().clamp(0, 255).to(at::kByte);
    for (int64_t slice = begin; slice < end; ++slice) {
      OutlinedSample sample(image, pixels[slice - begin].clone());
      sample.name = fmt::format("{} slice {}", image.image.string(), slice + 1);
      sample.slices = options.version == 2 && input.kind == InputKind::kVolume;
      std::map<fs::path, std::vector<uint16_t>> own;
      for (const auto& [file, labels] : masks)
        own[file] = planes.slicing().slice(std::span<const uint16_t>(labels), slice);
      for (const Outline& outline : image.outlines)
        sample.add(outline, outline.mask.empty()
                                ? at::Tensor()
                                : target_on(outline, own.at(outline.mask), planes.layout()));
      samples.push_back(std::move(sample));
    }
  }
}

}  // namespace

Masks read_outline_masks(const OutlinedImage& image, const SegmentInput& input) {
  Masks masks;
  for (const Outline& outline : image.outlines) {
    if (outline.mask.empty() || masks.contains(outline.mask)) continue;
    auto mask = read_mask(outline.mask);
    check_same_grid({mask.grid, outline.mask.string()}, {input.volume.grid, input.path}, "image");
    masks[outline.mask] = std::move(mask.labels);
  }
  return masks;
}

std::vector<OutlinedSample> read_outlined_volume(const OutlinedImage& image,
                                                 const PlaneForm& form) {
  const SegmentInput input = read_segment_input(image.image);
  const Masks masks = read_outline_masks(image, input);
  if (image.complete)
    for (const auto& [file, labels] : masks) check_labels(image, file, labels);
  PlaneOptions options{.version = form.version, .side = form.side};
  std::vector<OutlinedSample> samples;
  if (form.version == 1 || input.kind == InputKind::kPicture) {
    add_view(image, input, masks, options, samples);
    return samples;
  }
  for (const int axis : view_axes(input.volume.grid)) {
    options.axis = axis;
    add_view(image, input, masks, options, samples);
  }
  return samples;
}

}  // namespace vesalius::tasks
