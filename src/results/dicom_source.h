// What an object made from images takes over from them: whose they are, and which is which.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "media/volume.h"

class DcmDataset;

namespace vesalius::results {

/// One frame of the source: of a single-frame image, the image.
struct SourceFrame {
  std::string sop_class, sop_instance;
  int frame = 0;  // from 1 in a multi-frame image, 0 in others
  int columns = 0, rows = 0;
  std::optional<media::Vector3> position;  // of the first pixel, mm
};

/// A source series, all of it or the part that was segmented.
struct DicomSource {
  std::shared_ptr<DcmDataset> context;  // patient, study and what else derived objects share
  bool unicode = true;                  // false where the text of the context resists conversion
  std::string study_uid, series_uid, frame_of_reference;  // the last may be empty
  std::string patient_orientation;                        // of the first image, "L\\F"; or empty
  int series_number = 0;
  std::string note;  // what an identity had to be made up for, to be told to the user; or empty
  std::vector<SourceFrame> frames;  // in the order of the files given

  /// The frame that lies in slice k of `grid`, which is the source's or has its slices in another
  /// order; null where none does. Where the grid is not placed, frame k.
  const SourceFrame* frame_of_slice(const media::Grid& grid, int64_t k) const;
};

/// Where anonymisation has left no UIDs, the file's meta information serves for the instance, and
/// stand-ins made from it for study and series: the same images always get the same, and the note
/// says that viewers will not find them together. Error kUnsupported if a file is not DICOM, tells
/// of no instance at all, or is of another series than the first.
DicomSource read_dicom_source(const std::vector<fs::path>& files);

}  // namespace vesalius::results
