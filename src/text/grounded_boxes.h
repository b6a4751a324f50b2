// The pieces of grounded text that the strict and the forgiving reading share: tokens, white space
// as Python has it, and the four coordinates of a box.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/grounded_text.h"

namespace vesalius::text {

/// Where the token next stands; an empty token stands nowhere.
size_t find_token(std::string_view text, std::string_view token, size_t from);

enum class Side { kLeft, kBoth };
/// `span` less the white space at its left, or at both sides (str.lstrip and str.strip).
Span without_space(std::string_view text, Span span, Side side);

inline std::string cut(std::string_view text, Span span) {
  return std::string(text.substr(span.begin, span.end - span.begin));
}

/// Bins of a box's corners: x0, y0, x1, y1.
struct Corners {
  std::array<int, 4> bins{};
  Span span;  // of the four coordinates
};

/// The first <x..><y..><x..><y..> in `span`.
std::optional<Corners> find_corners(std::string_view text, Span span);

/// The coordinates in `span`, if leaving out what is between them gives x, y, x, y; they then have
/// no span of their own.
std::optional<Corners> gather_corners(std::string_view text, Span span);

bool in_range(const Corners& corners, int bins);

/// Middles of the bins; bins past the last count as the last.
Box box_of(const Corners& corners, int bins);

/// Adds that a box holds more than its coordinates, which is left out.
void note_extra(std::string_view text, Span inside, const Corners& corners,
                std::vector<Repair>& repairs);
/// Adds that the corners of a box are the wrong way round, which is kept as the published parser
/// keeps it.
void note_inverted(const Corners& corners, size_t at, std::vector<Repair>& repairs);

}  // namespace vesalius::text
