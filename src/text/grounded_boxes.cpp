#include "text/grounded_boxes.h"

#include <algorithm>

#include "text/unicode.h"

namespace vesalius::text {

namespace {

constexpr int kHuge = 1'000'000;  // past every number of bins

/// One <x12> or <y12>.
struct Coordinate {
  int bin = 0;
  size_t end = 0;
};

// Digits of any script, as Python's \d and int() take them.
std::optional<Coordinate> coordinate_at(std::string_view text, size_t at, char axis) {
  if (!text.substr(at).starts_with('<') || !text.substr(at + 1).starts_with(axis)) return {};
  const size_t digits = at + 2;
  Coordinate found{0, digits};
  while (found.end < text.size()) {
    const Utf8Step step = utf8_step(text, found.end);
    if (!step.valid || !is_decimal_digit(step.code)) break;
    found.bin = std::min(kHuge, found.bin * 10 + digit_value(step.code));
    found.end += step.length;
  }
  if (found.end == digits || !text.substr(found.end).starts_with('>')) return {};
  ++found.end;
  return found;
}

char axis_of(size_t index) { return index % 2 == 0 ? 'x' : 'y'; }

std::optional<Corners> corners_at(std::string_view text, size_t at) {
  Corners corners{.span = {at, at}};
  for (size_t i = 0; i < corners.bins.size(); ++i) {
    const auto next = coordinate_at(text, corners.span.end, axis_of(i));
    if (!next) return {};
    corners.bins[i] = next->bin;
    corners.span.end = next->end;
  }
  return corners;
}

// How many bytes the white space that ends at `end` has; 0 for another character.
size_t space_before(std::string_view text, Span span) {
  for (size_t length = 1; length <= 4 && length <= span.end - span.begin; ++length) {
    const Utf8Step step = utf8_step(text.substr(0, span.end), span.end - length);
    if (step.valid && step.length == length) return is_space(step.code) ? length : 0;
  }
  return 0;
}

}  // namespace

size_t find_token(std::string_view text, std::string_view token, size_t from) {
  return token.empty() ? std::string_view::npos : text.find(token, from);
}

Span without_space(std::string_view text, Span span, Side side) {
  const std::string_view within = text.substr(0, span.end);
  while (span.begin < span.end) {
    const Utf8Step step = utf8_step(within, span.begin);
    if (!step.valid || !is_space(step.code)) break;
    span.begin += step.length;
  }
  if (side == Side::kLeft) return span;
  while (const size_t length = space_before(text, span)) span.end -= length;
  return span;
}

std::optional<Corners> find_corners(std::string_view text, Span span) {
  const std::string_view within = text.substr(0, span.end);
  for (size_t at = within.find("<x", span.begin); at != std::string_view::npos;
       at = within.find("<x", at + 1)) {
    if (auto corners = corners_at(within, at)) return corners;
  }
  return {};
}

std::optional<Corners> gather_corners(std::string_view text, Span span) {
  const std::string_view within = text.substr(0, span.end);
  Corners corners{.span = {span.begin, span.begin}};
  size_t count = 0;
  for (size_t at = span.begin; at < span.end;) {
    const auto x = coordinate_at(within, at, 'x');
    const auto found = x ? x : coordinate_at(within, at, 'y');
    if (!found) {
      ++at;
      continue;
    }
    if (count == corners.bins.size() || (axis_of(count) == 'x') != x.has_value()) return {};
    corners.bins[count++] = found->bin;
    at = found->end;
  }
  if (count < corners.bins.size()) return {};
  return corners;
}

bool in_range(const Corners& corners, int bins) {
  return std::ranges::all_of(corners.bins, [&](int bin) { return bin < bins; });
}

Box box_of(const Corners& corners, int bins) {
  const auto middle = [&](int bin) { return (std::min(bin, bins - 1) + 0.5) / bins; };
  const auto& [x0, y0, x1, y1] = corners.bins;
  return {middle(x0), middle(y0), middle(x1), middle(y1)};
}

void note_extra(std::string_view text, Span inside, const Corners& corners,
                std::vector<Repair>& repairs) {
  const Span rest = without_space(text, inside, Side::kBoth);
  if (rest.begin != corners.span.begin || rest.end != corners.span.end)
    repairs.push_back(
        {"extra-in-box", "a box holds more than its four coordinates; left out", inside.begin});
}

void note_inverted(const Corners& corners, size_t at, std::vector<Repair>& repairs) {
  const auto& [x0, y0, x1, y1] = corners.bins;
  if (x0 > x1 || y0 > y1)
    repairs.push_back(
        {"inverted-box", "the corners of a box are the wrong way round; kept so", at});
}

}  // namespace vesalius::text
