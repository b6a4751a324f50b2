// DICOM RT structure sets (PS3.3 A.19), for planning systems.
#pragma once

#include "base/files.h"
#include "media/segmentation.h"
#include "results/dicom_source.h"

namespace vesalius::results {

struct Algorithm;

/// Writes each segment as a region with one closed planar contour for each part of a slice, holes
/// by keyhole (see contours.h); of a fractional segmentation, what has a probability of one half
/// or more. A segment without voxels is a region without contours.
///
/// The encoded object is read again, drawn on the grid and compared voxel by voxel before it comes
/// to its name. Error kUnsupported for a grid that is not placed: contours are points in the
/// patient.
void write_rtstruct(const fs::path& path, const media::Segmentation& segmentation,
                    const DicomSource& source, const Algorithm& algorithm);

}  // namespace vesalius::results
