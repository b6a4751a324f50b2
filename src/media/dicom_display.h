// What a radiologist's viewer makes of a stored frame: rescale, window, inversion, colour.
#pragma once

#include <vector>

#include "media/dicom.h"

namespace vesalius::media {

/// Stored values through the modality LUT, else the rescale slope and intercept (PS3.3 C.11.1);
/// equal to pydicom's apply_modality_lut.
std::vector<double> modality_values(std::vector<double> stored, const DicomInfo& info);

/// Values after the VOI step and the range that the step can give.
struct VoiValues {
  std::vector<double> values;
  double low = 0, high = 0;
};

/// The first item of the VOI LUT sequence, else the first window by its function (PS3.3 C.11.2),
/// equal to pydicom's apply_voi_lut; with neither (or a window of no width) the values as they are,
/// from their least to their greatest.
VoiValues voi_values(std::vector<double> values, const DicomInfo& info);

/// An 8-bit image as shown on screen: kGray, or kRgb for colour and palettes. A constant frame
/// without a window is black. Error kUnsupported for a photometric interpretation that has no
/// colours here.
Image display_frame(const DicomFrame& frame, const DicomInfo& info, const std::string& where);

}  // namespace vesalius::media
