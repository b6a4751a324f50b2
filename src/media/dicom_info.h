// The attributes of a DICOM data set that matter to its pixels.
#pragma once

#include "media/dicom.h"
#include "media/dicom_stream.h"

namespace vesalius::media {

/// Reads what DicomInfo holds. In multi-frame objects rescale, windows and geometry are those of
/// `frame`: of its own functional groups, else of those that all frames share. Nothing is checked
/// here but the kinds of the values.
DicomInfo read_dicom_info(const ParsedDicom& parsed, int frame = 0);

}  // namespace vesalius::media
