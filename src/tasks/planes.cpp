#include "tasks/planes.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/parallel.h"
#include "media/resize.h"
#include "recipes/spline_resize.h"

namespace vesalius::tasks {

namespace {

using recipes::Practice;

PlaneWay way_of(const SegmentInput& input, int version) {
  const bool picture = input.kind == InputKind::kPicture;
  if (version == 1) return picture ? PlaneWay::kPictureV1 : PlaneWay::kSliceV1;
  return picture ? PlaneWay::kPictureV2 : PlaneWay::kSliceV2;
}

Orientation orientation_of(const SegmentInput& input, const PlaneOptions& options) {
  if (options.as_is || input.kind == InputKind::kPicture) return Orientation::kAsIs;
  return options.version == 1 ? Orientation::kShown : Orientation::kTrained;
}

Slicing slicing_of_input(const SegmentInput& input, const PlaneOptions& options) {
  // A narrow picture is one slice all the same.
  if (input.kind == InputKind::kPicture) return slicing_of(input.volume.grid, {}, 0);
  return choose_slicing(input.volume.grid, orientation_of(input, options), options.axis);
}

recipes::Intensity intensity_of(const SegmentInput& input, const PlaneOptions& options) {
  if (input.kind == InputKind::kPicture) return recipes::make_intensity("untouched");
  if (options.intensity != "auto") return recipes::make_intensity(options.intensity);
  const Practice practice = options.version == 1 ? Practice::kSlices : Practice::kVolumes;
  return recipes::make_intensity(
      recipes::choose_intensity({input.modality, input.body_part, input.eight_bit}, practice));
}

at::Tensor picture_tensor(const media::Image& rgb) {  // [1, 3, rows, columns], u8
  return at::from_blob(const_cast<uint8_t*>(rgb.data.data()), {rgb.height, rgb.width, 3}, at::kByte)
      .permute({2, 0, 1})
      .unsqueeze(0)
      .clone(at::MemoryFormat::Contiguous);
}

at::Tensor bicubic(const at::Tensor& slices, int64_t side) {
  return at::upsample_bicubic2d(slices, {side, side}, /*align_corners=*/false);
}

at::Tensor picture_v1(const media::Image& rgb, int64_t side) {
  const auto pixels = static_cast<int>(side);
  return picture_tensor(media::resize(rgb, pixels, pixels, media::Filter::kBicubic,
                                      media::PassOrder::kAcrossFirst))
      .to(at::kFloat);
}

// Of one slice, scaled to 0 to 255, into `out` [side, side].
void spline_plane(const std::vector<double>& slice, const PlaneLayout& layout, float* out) {
  const auto width = static_cast<size_t>(layout.padded_columns());
  recipes::Plane plane{static_cast<int>(width), static_cast<int>(layout.padded_rows()), {}};
  plane.values.assign(width * static_cast<size_t>(layout.padded_rows()), 0.0);
  const auto columns = static_cast<size_t>(layout.columns);
  for (size_t row = 0; row < static_cast<size_t>(layout.rows); ++row) {
    const size_t at = (row + static_cast<size_t>(layout.padding.top)) * width +
                      static_cast<size_t>(layout.padding.left);
    std::copy_n(slice.data() + row * columns, columns, plane.values.data() + at);
  }
  const auto side = static_cast<int>(layout.side);
  for (const double value : recipes::spline_resize(plane, side, side).values)
    *out++ = static_cast<float>(static_cast<uint8_t>(value));
}

}  // namespace

at::Tensor padded(const at::Tensor& slices, const Padding& padding) {
  return at::constant_pad_nd(slices, {padding.left, padding.right, padding.top, padding.bottom});
}

Planes::Planes(const SegmentInput& input, const PlaneOptions& options)
    : input_(input),
      slicing_(slicing_of_input(input, options)),
      layout_(
          layout_of(way_of(input, options.version), slicing_.rows, slicing_.columns, options.side)),
      intensity_(intensity_of(input, options)) {
  if (layout_.way == PlaneWay::kSliceV2)
    bounds_ = recipes::bounds_of(intensity_, input_.volume.values);
}

std::vector<float> Planes::values(int64_t slice) const {
  return slicing_.slice(std::span<const float>(input_.volume.values), slice);
}

// [1, end - begin, rows, columns]
at::Tensor Planes::eight_bits(int64_t begin, int64_t end) const {
  at::Tensor out = at::empty({1, end - begin, layout_.rows, layout_.columns}, at::kByte);
  auto* const data = out.data_ptr<uint8_t>();
  parallel_for(end - begin, [&](int64_t i) {
    const std::vector<uint8_t> bytes = recipes::to_bytes(values(begin + i), bounds_);
    std::memcpy(data + i * layout_.rows * layout_.columns, bytes.data(), bytes.size());
  });
  return out;
}

at::Tensor Planes::stretched(int64_t begin, int64_t end) const {
  const int64_t side = layout_.side;
  at::Tensor out = at::empty({end - begin, 1, side, side}, at::kFloat);
  float* const data = out.data_ptr<float>();
  parallel_for(end - begin, [&](int64_t i) {
    spline_plane(recipes::stretched(intensity_, values(begin + i)), layout_,
                 data + i * side * side);
  });
  return out.repeat({1, 3, 1, 1});
}

at::Tensor Planes::stacked(int64_t begin, int64_t end) const {
  const int64_t last = count() - 1;
  const int64_t from = std::max<int64_t>(begin - 1, 0), to = std::min(end + 1, last + 1);
  const at::Tensor slices =  // [to - from, side, side]; of one slice, itself on both sides
      bicubic(padded(eight_bits(from, to), layout_.padding), layout_.side)[0].to(at::kFloat);
  std::vector<at::Tensor> planes;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t before = i > 0 ? i - 1 : std::min<int64_t>(1, last);
    const int64_t behind = i < last ? i + 1 : std::max<int64_t>(last - 1, 0);
    planes.push_back(at::stack({slices[i - from], slices[before - from], slices[behind - from]}));
  }
  return at::stack(planes);
}

at::Tensor Planes::batch(int64_t begin, int64_t end) const {
  if (begin < 0 || begin >= end || end > count())
    fail(ErrorCode::kFailed, "{}: slices {} to {} of {} were asked for", input_.path, begin, end,
         count());
  switch (layout_.way) {
    case PlaneWay::kPictureV1:
      return picture_v1(input_.picture, layout_.side);
    case PlaneWay::kPictureV2:
      return bicubic(padded(picture_tensor(input_.picture).to(at::kFloat), layout_.padding),
                     layout_.side);
    case PlaneWay::kSliceV1:
      return stretched(begin, end);
    case PlaneWay::kSliceV2:
      break;
  }
  return stacked(begin, end);
}

media::Image Planes::shown(int64_t slice) const {
  if (input_.kind == InputKind::kPicture) return input_.picture;
  const std::vector<float> raw = values(slice);
  std::vector<uint8_t> grey;
  if (layout_.way == PlaneWay::kSliceV2) {
    grey = recipes::to_bytes(raw, bounds_);
  } else {
    const std::vector<double> scaled = recipes::stretched(intensity_, raw);
    grey.assign(scaled.begin(), scaled.end());
  }
  media::Image image{static_cast<int>(layout_.columns), static_cast<int>(layout_.rows),
                     media::Mode::kRgb};
  image.data.reserve(3 * grey.size());
  for (const uint8_t value : grey) image.data.insert(image.data.end(), 3, value);
  return image;
}

}  // namespace vesalius::tasks
