// Masks drawn on the images that they belong to.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "media/image.h"

namespace vesalius::results {

using Colour = std::array<uint8_t, 3>;

/// Colours that are told apart on grey images, by number; they repeat after twelve.
Colour overlay_colour(size_t number);

/// Tints the pixels of a mask (any that is not zero, [height * width]) and draws its border.
/// `image` is RGB.
void draw_mask(media::Image& image, std::span<const uint8_t> mask, Colour colour,
               double opacity = 0.35);
/// The border alone.
void draw_border(media::Image& image, std::span<const uint8_t> mask, Colour colour);

/// Pictures side by side on black, `columns` a row, each cell as large as the largest.
media::Image contact_sheet(const std::vector<media::Image>& pictures, int columns);

}  // namespace vesalius::results
