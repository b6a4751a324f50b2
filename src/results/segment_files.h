// What was segmented, written out: masks, label maps, DICOM objects, pictures.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "results/dicom_object.h"
#include "tasks/planes.h"
#include "tasks/segment.h"

namespace vesalius::results {

/// "png", "nifti", "npz", "seg", "rtstruct", "json" of a list separated by commas. Error kUsage for
/// another word.
std::set<std::string> segment_formats(const std::string& list);
/// What is written when nobody says: masks as PNG for pictures, NIfTI for volumes, SEG for DICOM.
std::set<std::string> default_formats(const tasks::SegmentInput& input);

struct SegmentFiles {
  fs::path folder;
  std::string stem;  // of all names
  std::set<std::string> formats;
  Algorithm algorithm;
  std::vector<uint16_t> numbers;  // of the prompts in label maps; empty: 1, 2, 3, …
};

struct SegmentWritten {
  std::vector<fs::path> files;
  std::string
      note;  // what identity DICOM objects had to be given, to be told to the user; or empty
};

/// STEM_PROMPT.png a prompt (spaces as '+'; of several slices a sheet to look at), STEM.nii.gz with
/// the prompts' numbers (and STEM_PROMPT.nii.gz where masks share voxels), STEM.npz (`segs`),
/// STEM.seg.dcm, STEM.rtstruct.dcm, and always STEM_overview.png to look at. Probabilities and
/// uncertainties, where the targets carry them: STEM_PROMPT_probability and _uncertainty as PNG or
/// NIfTI; the SEG is fractional then. Error kUnsupported for DICOM objects
/// of an input that is not DICOM.
SegmentWritten write_segment_files(const tasks::SegmentInput& input, const tasks::Planes& planes,
                                   const std::vector<tasks::Target>& targets,
                                   const SegmentFiles& files);

/// The input with all masks in colours: a picture whole, of a volume the slices that hold most.
media::Image overview(const tasks::Planes& planes, const std::vector<tasks::Target>& targets);

}  // namespace vesalius::results
