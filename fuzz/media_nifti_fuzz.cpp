#include "guarded.h"
#include "media/nifti.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vesalius::media;
  return vesalius::guarded([&] {
    const NiftiImage image = parse_nifti({data, size}, "input", {.index = 0});
    if (image.volume.grid.voxels() < (1 << 20)) canonical(image.volume);
    nifti_header_bytes(image.header);
  });
}
