// Where the frames of a segmentation object lie, and what they were made from: its dimensions and
// functional groups (PS3.3 C.7.6.16 and C.7.6.17).
#pragma once

#include <vector>

#include "media/volume.h"
#include "results/dicom_object.h"

namespace vesalius::results {

/// One frame to be: which segment (from 0), which slice of the grid.
struct SegFrame {
  size_t segment;
  int64_t slice;
};

/// By segment, then by place; without place, by the number of the source's frame.
void put_dimensions(DcmDataset& data, const media::Grid& grid);

/// What all frames share: orientation and spacing, where the grid is placed.
void put_shared_groups(DcmDataset& data, const media::Grid& grid);

/// Segment, place and source of each frame. Error kUnsupported, naming `path`, if the grid is not
/// placed and a frame has no source, which would leave it nowhere.
void put_frame_groups(DcmDataset& data, const std::vector<SegFrame>& frames,
                      const media::Grid& grid, const DicomSource& source, const fs::path& path);

}  // namespace vesalius::results
