#include <zlib.h>

#include "guarded.h"
#include "media/codecs.h"

namespace {
uint32_t big_endian(const uint8_t* at) {
  return uint32_t{at[0]} << 24 | uint32_t{at[1]} << 16 | uint32_t{at[2]} << 8 | at[3];
}

/// Writes the right checksum behind every chunk; without it no change would get past libpng.
void repair_checksums(uint8_t* data, size_t size) {
  constexpr size_t kSignature = 8, kAround = 12;
  size_t at = kSignature;
  while (at + kAround <= size) {
    const size_t length = big_endian(data + at);
    if (length > size - at - kAround) return;
    const auto checksum =
        static_cast<uint32_t>(crc32(0, data + at + 4, static_cast<uInt>(length + 4)));
    for (int i = 0; i < 4; ++i)
      data[at + 8 + length + i] = static_cast<uint8_t>(checksum >> (24 - 8 * i));
    at += kAround + length;
  }
}
}  // namespace

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  const size_t changed = LLVMFuzzerMutate(data, size, max_size);
  if (seed % 8 != 0) repair_checksums(data, changed);
  return changed;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return vesalius::guarded([&] { vesalius::media::decode_png({data, size}, "input"); });
}
