#include <algorithm>

#include "guarded.h"
#include "media/dicom.h"
#include "media/dicom_display.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vesalius::media;
  return vesalius::guarded([&] {
    const DicomFile file = DicomFile::parse({data, size}, "input");
    for (int i = 0; i < std::min(file.info().frames, 3); ++i) {
      const DicomFrame frame = file.frame(i);
      display_frame(frame, file.info(), "input");
    }
  });
}
