#include "guarded.h"
#include "media/codecs.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return vesalius::guarded([&] { vesalius::media::decode_png({data, size}, "input"); });
}
