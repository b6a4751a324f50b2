// DICOM segmentation objects (PS3.3 A.51 and C.8.20).
#pragma once

#include "base/files.h"
#include "media/segmentation.h"

namespace vesalius::media {

inline constexpr uint64_t kMaxSegmentationBytes = uint64_t{1} << 34;

/// Segments of a BINARY, FRACTIONAL or LABELMAP object, in the order of their numbers. Frames may
/// stand in any order and be missing where they are empty; the grid reaches from the first to the
/// last slice that has a frame, upwards along rows x columns. Fractional values are scaled to
/// 0..255. Without patient geometry (segmentations of projections, photographs, cine) the slices
/// are the referenced frames or images, and the grid is not placed. Label maps' background is left
/// out. Error kUnsupported for other objects, tiled slides, slices at irregular distances, damage,
/// and more than `max_bytes` of voxels.
Segmentation read_dicom_seg(const fs::path& path);
Segmentation parse_dicom_seg(Bytes bytes, const std::string& where,
                             uint64_t max_bytes = kMaxSegmentationBytes);

}  // namespace vesalius::media
