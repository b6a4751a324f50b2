// Text in pictures, in a small font drawn for this program.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "media/image.h"
#include "results/overlay.h"

namespace vesalius::results {

/// A character takes this many pixels, its spaces to the next ones included, times the scale.
inline constexpr int kCellWidth = 6, kCellHeight = 11;

/// UTF-8 as the font can show it: accented Latin letters lose their accents, typographic dashes and
/// quotation marks become plain ones, whatever else is not ASCII a '?'.
std::string drawable(std::string_view text);

/// ASCII from its upper left corner at (x, y), each pixel of the font `scale` wide and high. What
/// lies outside of the picture (RGB) is cut off.
void draw_text(media::Image& image, std::string_view text, int x, int y, int scale, Colour colour);

/// Fills a rectangle; what lies outside is cut off.
void fill_rectangle(media::Image& image, int x, int y, int width, int height, Colour colour);

/// Lines of at most `columns` characters, broken between words where that is possible.
std::vector<std::string> wrapped(std::string_view text, size_t columns);

}  // namespace vesalius::results
