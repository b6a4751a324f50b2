// Small PNG files for tests of folders that do not see results/.
#pragma once

#include <png.h>

#include <stdexcept>
#include <vector>

#include "base/files.h"

namespace vesalius {

inline void write_grey_png(const fs::path& path, int width, int height,
                           const std::vector<uint8_t>& values) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(width);
  header.height = static_cast<png_uint_32>(height);
  header.format = PNG_FORMAT_GRAY;
  if (png_image_write_to_file(&header, path.c_str(), 0, values.data(), 0, nullptr) == 0)
    throw std::runtime_error(path.string());
}

}  // namespace vesalius
