#include "tasks/plane_masks.h"

#include <span>

#include "base/error.h"

namespace vesalius::tasks {

namespace {

at::Tensor unpadded(const at::Tensor& masks, const PlaneLayout& layout) {
  return masks.narrow(-2, layout.padding.top, layout.rows)
      .narrow(-1, layout.padding.left, layout.columns)
      .contiguous();
}

at::Tensor nearest(const at::Tensor& masks, int64_t rows, int64_t columns) {
  if (masks.size(-2) == rows && masks.size(-1) == columns) return masks;
  std::vector<int64_t> shape = masks.sizes().vec();
  const at::Tensor flat = masks.reshape({1, -1, masks.size(-2), masks.size(-1)}).to(at::kFloat);
  shape[shape.size() - 2] = rows;
  shape[shape.size() - 1] = columns;
  return at::upsample_nearest2d(flat, {rows, columns}).reshape(shape).to(masks.scalar_type());
}

at::Tensor smooth(const at::Tensor& logits, int64_t rows, int64_t columns) {
  return at::_upsample_bicubic2d_aa(logits, {rows, columns}, /*align_corners=*/false);
}

at::Tensor linear(const at::Tensor& logits, int64_t rows, int64_t columns) {
  return at::upsample_bilinear2d(logits, {rows, columns}, /*align_corners=*/false);
}

}  // namespace

at::Tensor probabilities(const at::Tensor& logits, const PlaneLayout& layout) {
  const at::Tensor small = logits.to(at::kCPU, at::kFloat);
  const int64_t rows = layout.padded_rows(), columns = layout.padded_columns();
  switch (layout.way) {
    case PlaneWay::kPictureV1:
    case PlaneWay::kSliceV1:
      return unpadded(linear(small, rows, columns).sigmoid_(), layout);
    case PlaneWay::kPictureV2:
      return unpadded(smooth(small, rows, columns).sigmoid_(), layout);
    case PlaneWay::kSliceV2:
      break;
  }
  return smooth(small, layout.side, layout.side).sigmoid_();
}

at::Tensor on_slices(const at::Tensor& masks, const PlaneLayout& layout) {
  if (layout.way != PlaneWay::kSliceV2) return masks;
  return unpadded(nearest(masks, layout.padded_rows(), layout.padded_columns()), layout);
}

template <class T>
void put_on_grid(const at::Tensor& masks, int64_t begin, const Slicing& slicing,
                 std::vector<T>& grid) {
  const auto plane = static_cast<size_t>(slicing.rows * slicing.columns);
  const bool fits = masks.dim() == 3 && masks.scalar_type() == c10::CppTypeToScalarType<T>::value &&
                    masks.size(1) == slicing.rows && masks.size(2) == slicing.columns &&
                    begin >= 0 && begin + masks.size(0) <= slicing.slices &&
                    grid.size() == plane * static_cast<size_t>(slicing.slices);
  if (!fits) fail(ErrorCode::kFailed, "masks of slices do not fit the grid they are put on");
  const at::Tensor values = masks.contiguous();
  const T* data = values.const_data_ptr<T>();
  for (int64_t i = 0; i < values.size(0); ++i, data += plane)
    slicing.put(std::span<const T>(data, plane), begin + i, std::span<T>(grid));
}

template void put_on_grid(const at::Tensor&, int64_t, const Slicing&, std::vector<uint8_t>&);
template void put_on_grid(const at::Tensor&, int64_t, const Slicing&, std::vector<uint16_t>&);
template void put_on_grid(const at::Tensor&, int64_t, const Slicing&, std::vector<float>&);

}  // namespace vesalius::tasks
