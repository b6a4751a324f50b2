#include "guarded.h"
#include "media/dicom_seg.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vesalius::media;
  return vesalius::guarded([&] {
    Segmentation read = parse_dicom_seg({data, size}, "input", 1 << 24);
    Grid larger = read.grid;
    larger.size[2] += 1;
    on_grid(std::move(read), larger, "input");
  });
}
