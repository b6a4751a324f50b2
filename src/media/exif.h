// The one tag of EXIF that matters to pixels: which way up the picture is.
#pragma once

#include "base/files.h"

namespace vesalius::media {

/// Orientation (1 to 8) from a TIFF-structured EXIF block; 1 when absent or not understood.
int exif_orientation(Bytes tiff);

}  // namespace vesalius::media
