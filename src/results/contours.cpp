#include "results/contours.h"

#include <algorithm>
#include <cstddef>
#include <unordered_map>

namespace vesalius::results {

namespace {
/// In half pixels: the centre of pixel (i, j) is (2i, 2j).
struct Node {
  int64_t x, y;
  bool operator==(const Node&) const = default;
};
struct NodeHash {
  size_t operator()(const Node& node) const {
    return static_cast<size_t>(node.x) * 0x9E3779B97F4A7C15ULL + static_cast<size_t>(node.y);
  }
};
using Links = std::unordered_map<Node, Node, NodeHash>;
using Loop = std::vector<Node>;

/// The mask with a rim of background.
struct Mask {
  std::span<const uint8_t> pixels;
  int64_t columns, rows;
  bool inside(int64_t i, int64_t j) const {
    return i >= 0 && j >= 0 && i < columns && j < rows && pixels[j * columns + i] != 0;
  }
};

/// Outlines within the square between four centres, inside on the left as one walks (rows run
/// down). Pixels that meet only at a corner are kept apart, so background does join there.
void link_cell(const Mask& mask, int64_t i, int64_t j, Links& next) {
  const bool top_left = mask.inside(i, j), top_right = mask.inside(i + 1, j),
             bottom_left = mask.inside(i, j + 1), bottom_right = mask.inside(i + 1, j + 1);
  const Node top{2 * i + 1, 2 * j}, left{2 * i, 2 * j + 1}, right{2 * i + 2, 2 * j + 1},
      bottom{2 * i + 1, 2 * j + 2}, centre{2 * i + 1, 2 * j + 1};
  const int count = top_left + top_right + bottom_left + bottom_right;
  const bool diagonal = count == 2 && top_left == bottom_right;
  if (count == 1 || diagonal) {  // around each corner that is inside
    if (top_left) next[left] = top;
    if (top_right) next[top] = right;
    if (bottom_right) next[right] = bottom;
    if (bottom_left) next[bottom] = left;
  } else if (count == 3) {  // around the corner that is outside
    if (!top_left) next[top] = left;
    if (!top_right) next[right] = top;
    if (!bottom_right) next[bottom] = right;
    if (!bottom_left) next[left] = bottom;
  } else if (count == 2 && top_left == top_right) {  // level
    next[top_left ? left : right] = top_left ? right : left;
  } else if (count == 2) {  // upright, with a point half-way where a keyhole may end
    const Node from = top_left ? bottom : top, to = top_left ? top : bottom;
    next[from] = centre;
    next[centre] = to;
  }
}

Links link(const Mask& mask) {
  Links next;
  for (int64_t j = -1; j < mask.rows; ++j) {
    for (int64_t i = -1; i < mask.columns; ++i) link_cell(mask, i, j, next);
  }
  return next;
}

/// Top-most first, then left-most.
bool before(const Node& a, const Node& b) { return a.y != b.y ? a.y < b.y : a.x < b.x; }

/// Closed ways, each from its first node, in the order of those.
std::vector<Loop> walk(const Links& next) {
  std::vector<Node> starts;
  for (const auto& [from, to] : next) starts.push_back(from);
  std::sort(starts.begin(), starts.end(), before);
  std::unordered_map<Node, bool, NodeHash> seen;
  std::vector<Loop> loops;
  for (const Node& start : starts) {
    if (seen[start]) continue;
    Loop loop;
    for (Node at = start; !seen[at]; at = next.at(at)) {
      seen[at] = true;
      loop.push_back(at);
    }
    loops.push_back(std::move(loop));
  }
  return loops;
}

/// Twice the area in half pixels, with a sign: outer outlines and holes run opposite ways.
int64_t signed_area(const Loop& loop) {
  int64_t area = 0;
  for (size_t i = 0; i < loop.size(); ++i) {
    const Node &a = loop[i], &b = loop[(i + 1) % loop.size()];
    area += a.x * b.y - b.x * a.y;
  }
  return area;
}

/// Outlines as rings of linked nodes, so that joining a hole costs its own length.
class Rings {
 public:
  void add_outline(const Loop& loop) {
    starts_.push_back(nodes_.size());
    append(loop);
    next_.back() = starts_.back();
  }

  /// Joins a hole to what lies left of its top-most node. That row of half pixels holds no centre,
  /// and what it meets first is the outline around the hole, or another hole that stands before
  /// this one and has been joined already.
  void join_hole(const Loop& hole) {
    Node door{hole.front().x - 1, hole.front().y};
    while (!first_.contains(door)) --door.x;
    const size_t at = first_.at(door), onwards = next_[at];
    next_[at] = nodes_.size();
    append(hole);
    append({hole.front(), door});
    next_.back() = onwards;
  }

  std::vector<Loop> loops() const {
    std::vector<Loop> out;
    for (const size_t start : starts_) {
      Loop& loop = out.emplace_back();
      size_t at = start;
      do {
        loop.push_back(nodes_[at]);
        at = next_[at];
      } while (at != start);
    }
    return out;
  }

 private:
  void append(const Loop& loop) {
    for (const Node& node : loop) {
      first_.emplace(node, nodes_.size());
      nodes_.push_back(node);
      next_.push_back(nodes_.size());
    }
  }

  std::vector<Node> nodes_;
  std::vector<size_t> next_, starts_;
  std::unordered_map<Node, size_t, NodeHash> first_;  // where a node stands first
};

/// Without nodes in the middle of straight pieces.
PlanePolygon simplified(const Loop& loop) {
  PlanePolygon out;
  for (size_t i = 0; i < loop.size(); ++i) {
    const Node &a = loop[(i + loop.size() - 1) % loop.size()], &b = loop[i],
               &c = loop[(i + 1) % loop.size()];
    const int64_t turn = (b.x - a.x) * (c.y - b.y) - (b.y - a.y) * (c.x - b.x);
    const int64_t onwards = (b.x - a.x) * (c.x - b.x) + (b.y - a.y) * (c.y - b.y);
    if (turn == 0 && onwards > 0) continue;
    out.push_back({static_cast<double>(b.x) / 2, static_cast<double>(b.y) / 2});
  }
  return out;
}
}  // namespace

std::vector<PlanePolygon> outlines(std::span<const uint8_t> mask, int64_t columns, int64_t rows) {
  const std::vector<Loop> loops = walk(link({mask, columns, rows}));
  // The first loop of all is an outline; whatever runs its way is one too.
  const bool first_way = !loops.empty() && signed_area(loops.front()) > 0;
  const auto is_outline = [&](const Loop& loop) { return (signed_area(loop) > 0) == first_way; };
  Rings rings;
  for (const Loop& loop : loops) {
    if (is_outline(loop)) rings.add_outline(loop);
  }
  for (const Loop& loop : loops) {
    if (!is_outline(loop)) rings.join_hole(loop);
  }
  std::vector<PlanePolygon> polygons;
  for (const Loop& loop : rings.loops()) polygons.push_back(simplified(loop));
  return polygons;
}

}  // namespace vesalius::results
