// From stored words to the values of DicomFrame: bits, planes, colour.
#pragma once

#include <string>
#include <vector>

#include "media/dicom.h"

namespace vesalius::media {

/// Uncompressed pixel data as DCMTK holds it: words in this machine's order.
struct NativePixels {
  Bytes bytes;
  bool swap_bytes = false;  // 16-bit samples whose bytes DCMTK left in big-endian order
  bool swap_words = false;  // 32-bit samples of which the high word stands first
  bool planar = false;
};

/// Bits that one frame takes; frames of 1-bit pixels follow each other without padding.
uint64_t native_frame_bits(const DicomInfo& info, const std::string& photometric);

/// Samples of frame `index`, interleaved. YBR_FULL_422 is spread to one chroma pair a pixel. The
/// caller has checked that the frame lies within the bytes.
std::vector<int32_t> native_frame(const NativePixels& pixels, const DicomInfo& info,
                                  const std::string& photometric, int index);

/// Keeps the low `bits` of each value and extends their sign, or zero.
void cut_to_bits(std::vector<int32_t>& values, int bits, bool is_signed);

/// YBR_FULL to RGB (PS3.3 C.7.6.3.1.2, ITU-T T.871), 8 bits, rounded and clipped as pydicom does.
void ybr_to_rgb(std::vector<int32_t>& values);

}  // namespace vesalius::media
