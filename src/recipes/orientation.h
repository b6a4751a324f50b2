// Turns a picture the way its camera was held.
#pragma once

#include "media/image.h"

namespace vesalius::recipes {

/// The image with EXIF orientation 1 to 8 applied, as Pillow's ImageOps.exif_transpose does; other
/// values leave it as it is.
media::Image upright(const media::Image& image);

}  // namespace vesalius::recipes
