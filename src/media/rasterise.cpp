// Contours of a structure set to voxels.
#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "media/rtstruct.h"

namespace vesalius::media {

namespace {
struct Point {
  double x, y;  // columns and rows of the grid
};

/// A contour in the grid's own coordinates.
struct Polygon {
  std::vector<Point> points;
  double slice = 0;
};

Polygon polygon_of(const Contour& contour, const Grid& grid, const std::string& name) {
  constexpr double kFar = 1e9;  // voxels; beyond, sums lose what they should find
  Polygon polygon;
  double low = kFar, high = -kFar;
  for (const Vector3& point : contour.points) {
    const Vector3 at = grid.index_of(point);
    if (!(length(at) < kFar)) {
      fail(ErrorCode::kUnsupported, "structure '{}': a contour is far out of the patient", name);
    }
    polygon.points.push_back({at[0], at[1]});
    low = std::min(low, at[2]);
    high = std::max(high, at[2]);
  }
  if (high - low >= 0.5) {
    fail(ErrorCode::kUnsupported,
         "structure '{}': a contour is not parallel to the image's slices; give the image that it "
         "was drawn on",
         name);
  }
  polygon.slice = polygon.points.empty() ? -1 : (low + high) / 2;
  return polygon;
}

/// Columns at which the polygon's edges cross row `y`. An edge has its upper end and not its lower,
/// so that a vertex on the row counts once.
void add_crossings(const Polygon& polygon, double y, std::vector<double>& out) {
  const std::vector<Point>& points = polygon.points;
  for (size_t i = 0; i < points.size(); ++i) {
    const Point &a = points[i], &b = points[(i + 1) % points.size()];
    if ((a.y <= y) == (b.y <= y)) continue;
    // From the same end both ways, so that an edge that is walked twice cancels to the bit.
    const Point &low = a.y < b.y ? a : b, &high = a.y < b.y ? b : a;
    out.push_back(low.x + (y - low.y) * (high.x - low.x) / (high.y - low.y));
  }
}

int64_t first_at_or_after(double x, int64_t end) {
  return static_cast<int64_t>(std::clamp(std::ceil(x), 0.0, static_cast<double>(end)));
}

/// Rows that any of the polygons can touch, [first, last).
std::pair<int64_t, int64_t> row_range(const std::vector<const Polygon*>& polygons, int64_t rows) {
  double low = static_cast<double>(rows), high = -1;
  for (const Polygon* polygon : polygons) {
    for (const Point& point : polygon->points) {
      low = std::min(low, point.y);
      high = std::max(high, point.y);
    }
  }
  return {first_at_or_after(low, rows), first_at_or_after(high + 1, rows)};
}

void fill_slice(const std::vector<const Polygon*>& polygons, const Grid& grid, uint8_t* out) {
  const int64_t columns = grid.size[0];
  const auto [first, last] = row_range(polygons, grid.size[1]);
  std::vector<double> crossings;
  for (int64_t row = first; row < last; ++row) {
    crossings.clear();
    for (const Polygon* polygon : polygons) {
      add_crossings(*polygon, static_cast<double>(row), crossings);
    }
    std::sort(crossings.begin(), crossings.end());
    for (size_t i = 0; i + 1 < crossings.size(); i += 2) {
      const int64_t from = first_at_or_after(crossings[i], columns);
      const int64_t to = first_at_or_after(crossings[i + 1], columns);
      std::fill(out + row * columns + from, out + row * columns + to, uint8_t{1});
    }
  }
}

/// The polygons of each slice: those in the plane that is nearest to it.
std::map<int64_t, std::vector<const Polygon*>> nearest_planes(const std::vector<Polygon>& polygons,
                                                              const Grid& grid) {
  constexpr double kSamePlane = 0.01;  // of the distance between slices
  std::map<int64_t, double> offset;    // of the nearest plane from the slice
  const auto inside = [&](double slice) {
    return slice >= 0 && slice < static_cast<double>(grid.size[2]);
  };
  for (const Polygon& polygon : polygons) {
    const double slice = std::round(polygon.slice), away = polygon.slice - slice;
    if (!inside(slice)) continue;
    const auto [at, fresh] = offset.emplace(static_cast<int64_t>(slice), away);
    if (!fresh && std::abs(away) < std::abs(at->second)) at->second = away;
  }
  std::map<int64_t, std::vector<const Polygon*>> planes;
  for (const Polygon& polygon : polygons) {
    const double slice = std::round(polygon.slice), away = polygon.slice - slice;
    if (!inside(slice)) continue;
    const auto at = static_cast<int64_t>(slice);
    if (std::abs(away - offset.at(at)) <= kSamePlane) planes[at].push_back(&polygon);
  }
  return planes;
}
}  // namespace

std::vector<uint8_t> rasterise(const Structure& structure, const Grid& grid) {
  if (!grid.placed || !spans_space(grid)) {
    fail(ErrorCode::kUnsupported,
         "structure '{}': the image says nothing of its place in the patient, so contours cannot "
         "be drawn on it; give an image with a position and an orientation",
         structure.name);
  }
  std::vector<Polygon> polygons;
  for (const Contour& contour : structure.contours) {
    polygons.push_back(polygon_of(contour, grid, structure.name));
  }
  std::vector<uint8_t> out(static_cast<size_t>(grid.voxels()));
  for (const auto& [slice, shown] : nearest_planes(polygons, grid)) {
    fill_slice(shown, grid, out.data() + slice * grid.size[0] * grid.size[1]);
  }
  return out;
}

}  // namespace vesalius::media
