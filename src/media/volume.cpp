#include "media/volume.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/parallel.h"

namespace vesalius::media {

namespace {
// A letter for each of the patient's axes, towards greater and towards lesser coordinates.
constexpr std::string_view kTowardsMore = "LPS", kTowardsLess = "RAI";

/// Which of the patient's axes each of the grid's runs along, so that together they fit best.
std::array<int, 3> patient_axes(const Grid& grid) {
  std::array<int, 3> axes{0, 1, 2}, best = axes;
  double best_fit = -1;
  do {
    double fit = 0;
    for (size_t a = 0; a < 3; ++a) {
      const double size = length(grid.step[a]);
      if (size > 0) fit += std::abs(grid.step[a][static_cast<size_t>(axes[a])]) / size;
    }
    if (fit > best_fit) {
      best_fit = fit;
      best = axes;
    }
  } while (std::next_permutation(axes.begin(), axes.end()));
  return best;
}

struct Direction {
  int axis;  // of the patient
  bool towards_less;
};

std::array<Direction, 3> parse_code(std::string_view code) {
  std::array<Direction, 3> out{};
  std::array<bool, 3> seen{};
  bool sound = code.size() == 3;
  for (size_t a = 0; sound && a < 3; ++a) {
    const size_t more = kTowardsMore.find(code[a]), less = kTowardsLess.find(code[a]);
    const size_t axis = std::min(more, less);
    sound = axis < 3 && !seen[axis];
    if (!sound) break;
    seen[axis] = true;
    out[a] = {static_cast<int>(axis), less == axis};
  }
  if (sound) return out;
  fail(ErrorCode::kUsage,
       "\"{}\" is no orientation; give one letter of each pair L R, P A, S I, as in LPS", code);
}
}  // namespace

Vector3 cross(const Vector3& a, const Vector3& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}
double dot(const Vector3& a, const Vector3& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
double length(const Vector3& a) { return std::sqrt(dot(a, a)); }

double Grid::spacing(int axis) const { return length(step[static_cast<size_t>(axis)]); }

Vector3 Grid::at(double i, double j, double k) const {
  Vector3 point = origin;
  for (size_t x = 0; x < 3; ++x) point[x] += i * step[0][x] + j * step[1][x] + k * step[2][x];
  return point;
}

Vector3 Grid::index_of(const Vector3& point) const {
  const Vector3 from{point[0] - origin[0], point[1] - origin[1], point[2] - origin[2]};
  const double volume = dot(step[0], cross(step[1], step[2]));
  return {dot(from, cross(step[1], step[2])) / volume, dot(from, cross(step[2], step[0])) / volume,
          dot(from, cross(step[0], step[1])) / volume};
}

std::string Grid::orientation() const {
  const std::array<int, 3> axes = patient_axes(*this);
  std::string code;
  for (size_t a = 0; a < 3; ++a) {
    const auto axis = static_cast<size_t>(axes[a]);
    code += step[a][axis] < 0 ? kTowardsLess[axis] : kTowardsMore[axis];
  }
  return code;
}

bool spans_space(const Grid& grid) {
  double sides = 1;
  for (const Vector3& step : grid.step) sides *= length(step);
  const double volume = std::abs(dot(grid.step[0], cross(grid.step[1], grid.step[2])));
  return std::isfinite(sides) && sides > 0 && volume > 1e-6 * sides &&
         std::isfinite(length(grid.origin));
}

void check_size(const std::array<int64_t, 3>& size, const std::string& where) {
  int64_t rest = kMaxVoxels;
  for (const int64_t side : size) rest = side < 1 ? 0 : rest / side;
  if (rest > 0) return;
  fail(ErrorCode::kUnsupported,
       "{}: {} x {} x {} voxels make no volume that is read here (1 to {} voxels); the header is "
       "wrong, or give a part of the volume",
       where, size[0], size[1], size[2], kMaxVoxels);
}

AxisOrder inverse(const AxisOrder& order) {
  AxisOrder back;
  for (int a = 0; a < 3; ++a) {
    const auto from = static_cast<size_t>(order.from[static_cast<size_t>(a)]);
    back.from[from] = a;
    back.flipped[from] = order.flipped[static_cast<size_t>(a)];
  }
  return back;
}

AxisOrder axis_order(const Grid& grid, std::string_view code) {
  const std::array<Direction, 3> wanted = parse_code(code);
  const std::array<int, 3> axes = patient_axes(grid);
  AxisOrder order;
  for (size_t a = 0; a < 3; ++a) {
    const auto from = static_cast<size_t>(std::ranges::find(axes, wanted[a].axis) - axes.begin());
    const bool towards_less = grid.step[from][static_cast<size_t>(wanted[a].axis)] < 0;
    order.from[a] = static_cast<int>(from);
    order.flipped[a] = towards_less != wanted[a].towards_less;
  }
  return order;
}

Grid reoriented(const Grid& grid, const AxisOrder& order) {
  Grid out = grid;
  for (size_t a = 0; a < 3; ++a) {
    const auto from = static_cast<size_t>(order.from[a]);
    out.size[a] = grid.size[from];
    for (size_t x = 0; x < 3; ++x) {
      const double step = grid.step[from][x];
      out.step[a][x] = order.flipped[a] ? -step : step;
      if (order.flipped[a]) out.origin[x] += static_cast<double>(grid.size[from] - 1) * step;
    }
  }
  return out;
}

template <class T>
std::vector<T> reordered(const std::vector<T>& values, const std::array<int64_t, 3>& size,
                         const AxisOrder& order) {
  if (order == AxisOrder{}) return values;
  const std::array<int64_t, 3> strides{1, size[0], size[0] * size[1]};
  std::array<int64_t, 3> sides{}, stride{};  // along the new axes, in the old values
  int64_t start = 0;
  for (size_t a = 0; a < 3; ++a) {
    const auto from = static_cast<size_t>(order.from[a]);
    sides[a] = size[from];
    stride[a] = order.flipped[a] ? -strides[from] : strides[from];
    if (order.flipped[a]) start += (sides[a] - 1) * strides[from];
  }
  std::vector<T> out(values.size());
  parallel_for(sides[2], [&](int64_t k) {
    T* to = out.data() + k * sides[0] * sides[1];
    for (int64_t j = 0; j < sides[1]; ++j) {
      const T* from = values.data() + start + k * stride[2] + j * stride[1];
      for (int64_t i = 0; i < sides[0]; ++i) *to++ = from[i * stride[0]];
    }
  });
  return out;
}

template std::vector<uint8_t> reordered(const std::vector<uint8_t>&, const std::array<int64_t, 3>&,
                                        const AxisOrder&);
template std::vector<uint16_t> reordered(const std::vector<uint16_t>&,
                                         const std::array<int64_t, 3>&, const AxisOrder&);
template std::vector<float> reordered(const std::vector<float>&, const std::array<int64_t, 3>&,
                                      const AxisOrder&);

Volume reoriented(const Volume& volume, const AxisOrder& order) {
  return {reoriented(volume.grid, order), reordered(volume.values, volume.grid.size, order)};
}

Canonical canonical(Volume volume, std::string_view code) {
  const AxisOrder order = axis_order(volume.grid, code);
  const Grid original = volume.grid;
  if (order != AxisOrder{}) volume = reoriented(volume, order);
  return {std::move(volume), inverse(order), original};
}

}  // namespace vesalius::media
