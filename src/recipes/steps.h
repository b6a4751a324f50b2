// The recipes' ways from a decoded input to the square RGB image that a model takes.
#pragma once

#include <string>

#include "media/dicom.h"
#include "media/image.h"
#include "media/resize.h"
#include "recipes/recipe.h"

namespace vesalius::recipes {

/// The published community loader: grey becomes RGB, then one bicubic resize. Error kUnsupported
/// for any mode that the reference cannot take.
media::Image community(const Recipe& recipe, const ModelInput& input, const media::Image& image,
                       const std::string& where);

/// The published endpoint: resize in the image's own mode, RGB, a JPEG round trip, resize.
media::Image azure_endpoint(const Recipe& recipe, const ModelInput& input,
                            const media::Image& image);

/// The client toolkit, then the endpoint or the community loader. 8-bit pixels as they are;
/// everything else is cut at two percentiles and scaled to 8 bits; a cubic spline makes 480x480.
media::Image toolkit(const Recipe& recipe, const ModelInput& input, const media::Image& image,
                     const std::string& where);
media::Image toolkit(const Recipe& recipe, const ModelInput& input, const media::DicomFile& file,
                     int frame, const std::string& where);

/// Ours: what a viewer shows. EXIF orientation, transparency on black, windows; then one bicubic
/// resize.
media::Image viewer(const Recipe& recipe, const ModelInput& input, const media::Image& image);
media::Image viewer(const Recipe& recipe, const ModelInput& input, const media::DicomFile& file,
                    int frame, const std::string& where);
/// The picture as a viewer shows it, upright and in its own size: RGB.
media::Image shown(const Recipe& recipe, const media::Image& image);
/// The frame as a viewer shows it, in its own size: L or RGB.
media::Image shown(const Recipe& recipe, const media::DicomFile& file, int frame,
                   const std::string& where);

/// 16-bit and float grey by the recipe's window or percentiles, else from their least to their
/// greatest value, as L; 16-bit colour as 8-bit colour; others as they are.
media::Image eight_bit(const Recipe& recipe, media::Image image);

/// Which Pillow the recipe follows.
media::PassOrder pass_order(const Recipe& recipe);

/// Error kUsage for a frame that is not there.
void require_frame(const media::DicomFile& file, int frame, const std::string& where);

}  // namespace vesalius::recipes
