// The attributes of a DICOM data set that matter to its pixels.
#pragma once

#include "media/dicom.h"
#include "media/dicom_stream.h"

namespace vesalius::media {

/// Reads what DicomInfo holds; values of multi-frame objects come from the functional groups that
/// all frames share, else from the first frame's. Nothing is checked here but the kinds of the
/// values.
DicomInfo read_dicom_info(const ParsedDicom& parsed);

}  // namespace vesalius::media
