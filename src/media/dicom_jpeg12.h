// Sequential JPEG of 12 bits and one component, with the inverse DCT that pydicom's plug-in uses.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"

namespace vesalius::media {

/// [height, width] samples of 0 to 4095. ISO 10918-1 leaves the last bit of the inverse DCT to the
/// decoder; this one is Loeffler, Ligtenberg and Moschytz's (ICASSP 1989) with 9 fractional bits in
/// its constants and 4 in its samples, and so equals pylibjpeg-libjpeg, the one reader of such
/// files behind pydicom, to the bit. The IJG's (in DCMTK) differs by one in a pixel out of seventy.
/// Error kUnsupported for damaged streams.
std::vector<int32_t> decode_jpeg12_gray(Bytes bytes, int width, int height,
                                        const std::string& where);

}  // namespace vesalius::media
