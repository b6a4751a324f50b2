#include "media/exif.h"

namespace vesalius::media {

namespace {
/// Unsigned numbers out of a block in its byte order; zero beyond its end.
struct Reader {
  Bytes bytes;
  bool big_endian;

  uint32_t read(size_t at, size_t width) const {
    if (at > bytes.size() || bytes.size() - at < width) return 0;
    uint32_t value = 0;
    for (size_t i = 0; i < width; ++i) {
      value = value << 8 | bytes[at + (big_endian ? i : width - 1 - i)];
    }
    return value;
  }
};
}  // namespace

int exif_orientation(Bytes tiff) {
  if (tiff.size() < 8) return 1;
  const Reader reader{tiff, tiff[0] == 'M'};
  const size_t directory = reader.read(4, 4);
  const uint32_t entries = reader.read(directory, 2);
  for (uint32_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + size_t{12} * i;
    constexpr uint32_t kOrientationTag = 0x0112, kShort = 3;
    if (reader.read(entry, 2) != kOrientationTag || reader.read(entry + 2, 2) != kShort) continue;
    const uint32_t value = reader.read(entry + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace vesalius::media
