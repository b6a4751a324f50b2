#include "media/dicom_stack.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"

namespace vesalius::media {

namespace {
constexpr double kSamePlace = 1e-3;      // mm
constexpr double kSameDirection = 1e-3;  // of a cosine

struct Plane {
  Vector3 row, column, normal;  // along a row, along a column, and what is right-handed to both
};

Vector3 scaled(const Vector3& a, double factor) {
  return {a[0] * factor, a[1] * factor, a[2] * factor};
}
Vector3 difference(const Vector3& a, const Vector3& b) {
  return {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
}
Vector3 position_of(const DicomInfo& info) {
  return {info.image_position[0], info.image_position[1], info.image_position[2]};
}

bool has_place(const DicomInfo& info) {
  return info.image_position.size() == 3 && info.image_orientation.size() == 6;
}

bool has_spacing(const DicomInfo& info) {
  return info.pixel_spacing.size() == 2 && info.pixel_spacing[0] > 0 && info.pixel_spacing[1] > 0;
}

Plane plane_of(const SliceHead& slice) {
  const std::vector<double>& o = slice.info.image_orientation;
  Plane plane{{o[0], o[1], o[2]}, {o[3], o[4], o[5]}, {}};
  const Vector3 normal = cross(plane.row, plane.column);
  constexpr double kRounding = 5e-3;  // cosines may be written with three digits
  const bool sound = std::abs(length(plane.row) - 1) < kRounding &&
                     std::abs(length(plane.column) - 1) < kRounding &&
                     std::abs(dot(plane.row, plane.column)) < kRounding;
  if (!sound)
    fail(ErrorCode::kUnsupported,
         "{}: its ImageOrientationPatient is not two unit vectors at right angles; the header is "
         "wrong",
         slice.name);
  plane.normal = scaled(normal, 1 / length(normal));
  return plane;
}

bool nearly(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
  return std::ranges::equal(a, b, [&](double x, double y) { return std::abs(x - y) <= tolerance; });
}

/// All slices must be pictures of one kind.
void check_alike(const std::vector<SliceHead>& slices) {
  const SliceHead& first = slices.front();
  for (const SliceHead& slice : slices) {
    const DicomInfo &a = first.info, &b = slice.info;
    const char* what = nullptr;
    if (a.rows != b.rows || a.columns != b.columns) what = "sizes";
    if (!nearly(a.pixel_spacing, b.pixel_spacing, kSameDirection)) what = "pixel spacings";
    if (!nearly(a.image_orientation, b.image_orientation, kSameDirection)) what = "directions";
    if (a.image_position.size() != b.image_position.size()) what = "kinds of geometry";
    if (what == nullptr) continue;
    fail(ErrorCode::kUnsupported,
         "{} and {}: are slices of different {} in one series (a localizer, or several "
         "acquisitions); give the files of one stack",
         first.name, slice.name, what);
  }
}

/// A picture that says nothing of the patient.
Stack lone_picture(const SliceHead& slice) {
  Stack stack{.grid = {.size = {slice.info.columns, slice.info.rows, 1}}, .places = {0}};
  stack.grid.placed = false;
  if (has_spacing(slice.info)) {
    stack.grid.step[0][0] = slice.info.pixel_spacing[1];
    stack.grid.step[1][1] = slice.info.pixel_spacing[0];
  }
  stack.remarks.push_back("the image does not say where in the patient it lies");
  return stack;
}

/// Slices by their place along the normal.
struct Ordered {
  std::vector<size_t> slice;
  std::vector<Vector3> position;
  std::vector<double> along;
};

Ordered order_slices(const std::vector<SliceHead>& slices, const Plane& plane) {
  std::vector<double> along;
  for (const SliceHead& slice : slices) along.push_back(dot(position_of(slice.info), plane.normal));
  Ordered out;
  out.slice.resize(slices.size());
  std::iota(out.slice.begin(), out.slice.end(), size_t{0});
  std::ranges::stable_sort(out.slice, {}, [&](size_t i) { return along[i]; });
  for (const size_t i : out.slice) {
    out.position.push_back(position_of(slices[i].info));
    out.along.push_back(along[i]);
  }
  return out;
}

[[noreturn]] void refuse_one_place(const SliceHead& a, const SliceHead& b, size_t places,
                                   size_t slices) {
  fail(ErrorCode::kUnsupported,
       "{} and {}: lie in one place with different pixels ({} slices in {} places): the series "
       "holds several phases, echoes or energies, or is a film and no volume; give the files of "
       "one of them",
       a.name, b.name, slices, places);
}

size_t count_places(const Ordered& all) {
  size_t count = 1;
  for (size_t i = 1; i < all.along.size(); ++i)
    count += all.along[i] - all.along[i - 1] > kSamePlace ? 1 : 0;
  return count;
}

/// One slice a place.
Ordered drop_copies(const Ordered& all, const std::vector<SliceHead>& slices,
                    const std::function<bool(size_t, size_t)>& same_pixels,
                    std::vector<std::string>& remarks) {
  Ordered kept;
  for (size_t i = 0; i < all.slice.size(); ++i) {
    const bool copy =
        i > 0 && length(difference(all.position[i], kept.position.back())) <= kSamePlace;
    if (copy && !same_pixels(kept.slice.back(), all.slice[i]))
      refuse_one_place(slices[kept.slice.back()], slices[all.slice[i]], count_places(all),
                       all.slice.size());
    if (copy) continue;
    kept.slice.push_back(all.slice[i]);
    kept.position.push_back(all.position[i]);
    kept.along.push_back(all.along[i]);
  }
  const size_t dropped = all.slice.size() - kept.slice.size();
  if (dropped > 0)
    remarks.push_back(fmt::format(
        "{} slices are there more than once with the same pixels; one of each is used", dropped));
  return kept;
}

double usual_distance(const std::vector<double>& along) {
  std::vector<double> distances;
  for (size_t i = 1; i < along.size(); ++i) distances.push_back(along[i] - along[i - 1]);
  const auto middle = distances.begin() + static_cast<std::ptrdiff_t>(distances.size() / 2);
  std::nth_element(distances.begin(), middle, distances.end());
  return *middle;
}

/// The place of each slice in a row of equal steps.
std::vector<int64_t> count_steps(const Ordered& slices, double distance) {
  const double longest = 1e6;  // steps: more is no gap but another place altogether
  std::vector<int64_t> at{0};
  for (size_t i = 1; i < slices.along.size(); ++i) {
    const double steps = std::round((slices.along[i] - slices.along[i - 1]) / distance);
    at.push_back(at.back() + static_cast<int64_t>(std::clamp(steps, 1.0, longest)));
  }
  return at;
}

/// What a slice may lie beside its place: positions are often rounded to a tenth of a millimetre.
double tolerance_of(double spacing) {
  return std::min(std::max(0.05 * spacing, 0.1), 0.25 * spacing);
}

void check_even(const Ordered& ordered, const std::vector<int64_t>& at, const Vector3& step,
                const std::vector<SliceHead>& slices) {
  size_t worst = 0;
  double most = 0;
  for (size_t i = 1; i < at.size(); ++i) {
    const Vector3 expected = scaled(step, static_cast<double>(at[i]));
    const Vector3 moved = difference(ordered.position[i], ordered.position[0]);
    const double beside = length(difference(moved, expected));
    if (beside > most) {
      most = beside;
      worst = i;
    }
  }
  if (most <= tolerance_of(length(step))) return;
  fail(ErrorCode::kUnsupported,
       "{}: lies {:.3g} mm from where it should be ({:.4g} mm behind {}, and slices are {:.4g} mm "
       "apart on average): the slices are not evenly apart or not on a line; resample the series, "
       "or give an even part of it",
       slices[ordered.slice[worst]].name, most, ordered.along[worst] - ordered.along[worst - 1],
       slices[ordered.slice[worst - 1]].name, length(step));
}

/// Gaps are whole steps without a slice.
void report_gaps(const Ordered& ordered, const std::vector<int64_t>& at, double distance, Gaps gaps,
                 const std::vector<SliceHead>& slices, std::vector<std::string>& remarks) {
  const int64_t missing = at.back() + 1 - static_cast<int64_t>(at.size());
  if (missing == 0) return;
  size_t first = 1;
  while (at[first] - at[first - 1] == 1) ++first;
  const std::string where = fmt::format(
      "{} slices are missing, the first between {} at {:.4g} mm and {} at {:.4g} mm, where slices "
      "are {:.4g} mm apart",
      missing, slices[ordered.slice[first - 1]].name, ordered.along[first - 1],
      slices[ordered.slice[first]].name, ordered.along[first], distance);
  if (gaps == Gaps::kFill && missing <= static_cast<int64_t>(at.size())) {
    remarks.push_back(where + "; their places are filled with the least value of the others");
    return;
  }
  fail(ErrorCode::kUnsupported, "{}: get the whole series again{}", where,
       missing > static_cast<int64_t>(at.size()) ? ", or give the files of one stack"
                                                 : ", or allow gaps (--fill-gaps)");
}

void remark_tilt(const Vector3& step, const Plane& plane, std::vector<std::string>& remarks) {
  constexpr double kLeast = 0.1;  // degrees
  const double cosine = std::clamp(dot(step, plane.normal) / length(step), -1.0, 1.0);
  const double degrees = std::acos(cosine) * 180 / std::acos(-1.0);
  if (degrees > kLeast)
    remarks.push_back(fmt::format(
        "slices are shifted against each other by {:.1f} degrees (a tilted gantry); the grid is "
        "sheared as they are",
        degrees));
}

void remark_instance_numbers(const std::vector<SliceHead>& slices,
                             std::vector<std::string>& remarks) {
  std::vector<int64_t> numbers;
  for (const SliceHead& slice : slices) {
    if (slice.info.frames > 1 || !slice.info.instance_number) return;
    numbers.push_back(*slice.info.instance_number);
  }
  std::ranges::sort(numbers);
  int64_t holes = 0, first = 0;
  for (size_t i = 1; i < numbers.size(); ++i) {
    const int64_t skipped = std::max<int64_t>(numbers[i] - numbers[i - 1] - 1, 0);
    if (holes == 0 && skipped > 0) first = numbers[i - 1] + 1;
    holes += skipped;
  }
  if (holes > 0)
    remarks.push_back(
        fmt::format("{} instance numbers are missing, the first {}: the series may not be whole",
                    holes, first));
  if (numbers.size() > 1 && numbers.front() > 1)
    remarks.push_back(fmt::format(
        "the first instance number is {}: slices before it may be missing", numbers.front()));
}

/// Fills in the third step, and says which slice goes where.
void place_slices(const Ordered& ordered, const Plane& plane, Gaps gaps,
                  const std::vector<SliceHead>& slices, Stack& stack) {
  if (ordered.slice.size() == 1) {
    stack.grid.step[2] = plane.normal;
    stack.places = {ordered.slice.front()};
    stack.remarks.push_back(
        "one slice alone does not say how far the next would be: 1 mm is taken");
    return;
  }
  const double distance = usual_distance(ordered.along);
  if (distance <= kSamePlace)
    fail(ErrorCode::kUnsupported,
         "{} and {}: lie side by side in one plane, as do most slices; give the files of one stack",
         slices[ordered.slice[0]].name, slices[ordered.slice[1]].name);
  const std::vector<int64_t> at = count_steps(ordered, distance);
  report_gaps(ordered, at, distance, gaps, slices, stack.remarks);
  const Vector3 whole = difference(ordered.position.back(), ordered.position.front());
  stack.grid.step[2] = scaled(whole, 1 / static_cast<double>(at.back()));
  check_even(ordered, at, stack.grid.step[2], slices);
  remark_tilt(stack.grid.step[2], plane, stack.remarks);
  stack.places.resize(static_cast<size_t>(at.back()) + 1);
  for (size_t i = 0; i < at.size(); ++i)
    stack.places[static_cast<size_t>(at[i])] = ordered.slice[i];
}
}  // namespace

Stack stack_slices(const std::vector<SliceHead>& slices, Gaps gaps,
                   const std::function<bool(size_t, size_t)>& same_pixels) {
  check_alike(slices);
  const SliceHead& first = slices.front();
  if (slices.size() == 1 && !has_place(first.info)) return lone_picture(first);
  if (!has_place(first.info) || !has_spacing(first.info))
    fail(ErrorCode::kUnsupported,
         "{}: does not say where in the patient it lies (ImagePositionPatient, "
         "ImageOrientationPatient, PixelSpacing), so its {} slices make no volume; give one image, "
         "or convert the series with a program that knows their places",
         first.name, slices.size());
  const Plane plane = plane_of(first);
  Stack stack;
  remark_instance_numbers(slices, stack.remarks);
  const Ordered ordered =
      drop_copies(order_slices(slices, plane), slices, same_pixels, stack.remarks);
  stack.grid.origin = ordered.position.front();
  stack.grid.step[0] = scaled(plane.row, first.info.pixel_spacing[1]);
  stack.grid.step[1] = scaled(plane.column, first.info.pixel_spacing[0]);
  place_slices(ordered, plane, gaps, slices, stack);
  stack.grid.size = {first.info.columns, first.info.rows,
                     static_cast<int64_t>(stack.places.size())};
  check_size(stack.grid.size, first.name);
  if (!spans_space(stack.grid))
    fail(ErrorCode::kUnsupported, "{}: its series lies at places that are no patient's",
         first.name);
  return stack;
}

}  // namespace vesalius::media
