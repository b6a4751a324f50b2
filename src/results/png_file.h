// Pictures written: PNG through libpng.
#pragma once

#include "base/files.h"
#include "media/image.h"

namespace vesalius::results {

/// Grey or RGB, 8 bits. Written beside and renamed.
void write_png(const fs::path& path, const media::Image& image);

}  // namespace vesalius::results
