// The regular grid that the frames of a segmentation object lie on.
#pragma once

#include <string>
#include <vector>

#include "media/dicom_items.h"
#include "media/volume.h"

namespace vesalius::media {

/// Where the frames lie: all of a grid but its columns and rows, and each frame's slice.
struct SegFrames {
  Grid grid;
  std::vector<int64_t> slice;
};

/// Error kUnsupported, naming `where`, if the frames are no slices of one regular grid.
SegFrames read_seg_frames(DcmItem& data, const std::string& where);

}  // namespace vesalius::media
