// DICOM segmentation objects (PS3.3 A.51), for viewers and archives.
#pragma once

#include "base/files.h"
#include "media/segmentation.h"
#include "results/dicom_source.h"

namespace vesalius::results {

struct Algorithm;

/// Writes BINARY, or FRACTIONAL (probability, 255 is 1) where the segmentation is. Only slices with
/// voxels become frames; a segment without any keeps one empty frame, and its description says that
/// nothing was found. Each frame names the source's frame that lies in its place. A grid that is
/// not placed (projections, photographs, cine) gives an object without frame of reference whose
/// slice k belongs to the source's frame k.
///
/// The encoded object is read again and compared voxel by voxel before it comes to its name. Error
/// kUnsupported where DICOM cannot say it: no segments, rows and columns not at right angles, a
/// slice of a grid without place that has no source frame, more than 4 GiB of pixels.
void write_dicom_seg(const fs::path& path, const media::Segmentation& segmentation,
                     const DicomSource& source, const Algorithm& algorithm);

}  // namespace vesalius::results
