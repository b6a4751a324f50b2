// A chest film as MAIRA-2 and CXRReportGen take it (processing_maira2.py of microsoft/maira-2, then
// Hugging Face's BitImageProcessor), and as RAD-DINO does (that processor alone).
#pragma once

#include <string>

#include "media/dicom.h"
#include "media/image.h"
#include "recipes/recipe.h"

namespace vesalius::recipes {

/// The film in its own size, mode L: what boxes are drawn on. Pictures as Pillow's convert("L") has
/// them, upright or not as they are stored; 16-bit and float grey, which the reference would cut
/// off at 255, from their least to their greatest value first; DICOM as a viewer shows it.
media::Image film(const Recipe& recipe, const media::Image& image);
media::Image film(const Recipe& recipe, const media::DicomFile& file, const std::string& where,
                  int frame = 0);

/// Stretched to 0 and 255, shorter side resized to the model's, the middle square cut out; RGB.
/// A constant film, which the reference divides by zero on, becomes black.
media::Image film_square(const Recipe& recipe, const ModelInput& input, const media::Image& film);

/// BitImageProcessor alone, nothing stretched: RGB as Pillow's convert("RGB") has it, shorter side
/// resized to the model's, the middle square cut out. 16-bit and float grey, which have no agreed
/// white, go from their least to their greatest value first.
media::Image middle_square(const Recipe& recipe, const ModelInput& input,
                           const media::Image& image);

}  // namespace vesalius::recipes
