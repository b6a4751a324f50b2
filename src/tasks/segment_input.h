// What is to be segmented, read once from whatever file it came in.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "media/dicom.h"
#include "media/dicom_volume.h"
#include "media/image.h"
#include "media/nifti_header.h"
#include "media/npz.h"
#include "media/volume.h"
#include "tasks/vocabulary.h"

namespace vesalius::tasks {

/// A picture is looked at in its own colours (a photograph, a radiograph, ultrasound); a volume, of
/// one slice or many, has values that a window makes visible.
enum class InputKind { kPicture, kVolume };

struct SegmentInput {
  InputKind kind = InputKind::kPicture;
  std::string path;                 // as given
  std::string modality, body_part;  // DICOM's terms; empty if neither the user nor the file told
  bool eight_bit = false;           // values are whole numbers from 0 to 255
  media::Image picture;             // kPicture: RGB, 8 bits, upright
  /// The input's own grid and values, for a picture of one slice: what masks lie on and what is
  /// measured. Values are HU in a CT, the mean of red, green and blue in a colour picture, and all
  /// finite.
  media::Volume volume;
  std::optional<media::DicomInfo> dicom;      // of the first slice
  std::vector<media::SliceSource> slices;     // DICOM images, in the order of the grid's slices
  std::optional<media::NiftiHeader> nifti;    // to be written beside masks
  std::optional<media::TextPrompts> prompts;  // those of a challenge's npz
  std::vector<std::string> remarks;           // sentences that a reader of results should see
};

/// What the user says of an input; it goes before what the file says.
struct SegmentInputOptions {
  std::string modality, body_part;
  int frame = 0;                        // of a multi-frame picture (an ultrasound loop)
  std::optional<int64_t> nifti_volume;  // of several in one NIfTI file
  media::DicomVolumeOptions series;
};

/// Reads a PNG, JPEG or TIFF; a DICOM image, or a folder with the images of a series; a NIfTI file
/// (.nii, .nii.gz, .hdr, .img); or an .npz of the CVPR 2025 challenge. DICOM images of CT, MR and
/// PET in grey become a volume, all others a picture. Values that are no numbers become the least
/// one, with a remark; a volume without a modality is taken for CT where its values look like HU.
/// Error kUnsupported for anything else, kUsage for a frame that is not there.
SegmentInput read_segment_input(const fs::path& path, const SegmentInputOptions& options = {});

/// What it says of its kind.
ImageHints hints_of(const SegmentInput& input);

}  // namespace vesalius::tasks
