// A DICOM series, of single slices or of multi-frame objects, as one volume.
#pragma once

#include <string>
#include <vector>

#include "media/dicom.h"
#include "media/dicom_stack.h"
#include "media/volume.h"

namespace vesalius::media {

struct DicomVolumeOptions {
  std::string series_uid;  // which series, where the files are of several
  Gaps gaps = Gaps::kRefuse;
  int threads = 0;  // 0: one a core
};

/// Where a slice of the volume comes from; without a path where a gap was filled.
struct SliceSource {
  fs::path path;
  std::string sop_class_uid, sop_instance_uid;
  int frame = 0;  // from 0
};

struct DicomVolume {
  Volume volume;                     // rescaled: Hounsfield units in a CT
  std::vector<SliceSource> slices;   // in the order of the volume's
  DicomInfo info;                    // of the first slice
  std::vector<std::string> remarks;  // sentences that a reader of results should see
};

/// Reads files and folders (and what is below them). Values are stored values through the modality
/// LUT or the rescale of each slice (PS3.3 C.11.1). Error kUnsupported for more than one series,
/// naming them; for colour; and for what stack_slices() refuses.
DicomVolume read_dicom_volume(const std::vector<fs::path>& inputs,
                              const DicomVolumeOptions& options = {});

}  // namespace vesalius::media
