#include "results/png_file.h"

#include <png.h>

#include <vector>

#include "base/error.h"

namespace vesalius::results {

void write_png(const fs::path& path, const media::Image& image) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width);
  header.height = static_cast<png_uint_32>(image.height);
  header.format = media::mode_channels(image.mode) == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(header);
  std::vector<uint8_t> bytes(size);
  if (png_image_write_to_memory(&header, bytes.data(), &size, 0, image.data.data(), 0, nullptr) ==
      0)
    fail(ErrorCode::kFailed, "{}: cannot be written as PNG ({}).", path.string(), header.message);
  FileWriter file(path);
  file.write(bytes.data(), size);
  file.commit();
}

}  // namespace vesalius::results
