#include "results/seg_writer.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "media/cielab.h"
#include "media/dicom_seg.h"
#include "results/dicom_object.h"
#include "results/seg_frames.h"

namespace vesalius::results {

using media::Grid;
using media::Segment;
using media::Segmentation;

namespace {
constexpr const char* kResearchUseOnly = "Research use only, not for diagnosis";
constexpr const char* kNothingFound = "Nothing was found.";

int64_t slice_voxels(const Grid& grid) { return grid.size[0] * grid.size[1]; }

bool is_empty(const Segment& segment) {
  return std::all_of(segment.voxels.begin(), segment.voxels.end(), [](auto v) { return v == 0; });
}

std::vector<SegFrame> frames_of(const Segmentation& segmentation) {
  std::vector<SegFrame> frames;
  const int64_t size = slice_voxels(segmentation.grid);
  for (size_t s = 0; s < segmentation.segments.size(); ++s) {
    const size_t before = frames.size();
    for (int64_t k = 0; k < segmentation.grid.size[2]; ++k) {
      const uint8_t* at = segmentation.segments[s].voxels.data() + k * size;
      if (std::any_of(at, at + size, [](uint8_t v) { return v != 0; })) frames.push_back({s, k});
    }
    if (frames.size() == before) frames.push_back({s, 0});
  }
  return frames;
}

void check_input(const Segmentation& segmentation, const fs::path& path) {
  const Grid& grid = segmentation.grid;
  if (segmentation.segments.empty() || segmentation.segments.size() > 65535) {
    fail(ErrorCode::kUnsupported, "{}: a DICOM segmentation holds 1 to 65535 segments, not {}",
         path.string(), segmentation.segments.size());
  }
  if (std::max(grid.size[0], grid.size[1]) > 65535 || grid.voxels() < 1) {
    fail(ErrorCode::kUnsupported, "{}: slices of {} x {} voxels do not fit into a DICOM object",
         path.string(), grid.size[0], grid.size[1]);
  }
  for (const Segment& segment : segmentation.segments) {
    const bool coded = !segment.category.value.empty() && !segment.type.value.empty();
    if (coded && segment.voxels.size() == static_cast<size_t>(grid.voxels())) continue;
    fail(ErrorCode::kFailed, "{}: segment '{}' has {} voxels, its grid {}; its codes are {}",
         path.string(), segment.label, segment.voxels.size(), grid.voxels(),
         coded ? "there" : "missing");
  }
  if (!grid.placed) return;
  const double skew = std::abs(media::dot(grid.step[0], grid.step[1]));
  if (!spans_space(grid) || skew > 1e-4 * grid.spacing(0) * grid.spacing(1)) {
    fail(ErrorCode::kUnsupported,
         "{}: the grid's rows and columns are not at right angles, which DICOM cannot say; "
         "resample the image, or choose nifti",
         path.string());
  }
}

void put_segment(DcmItem& data, const Segment& segment, int number, const DicomSource& source,
                 const Algorithm& algorithm) {
  DcmItem& item = add_item(data, DCM_SegmentSequence);
  put(item, DCM_SegmentNumber, number);
  std::string label = clean_text(segment.label, 64, source);
  if (label.empty()) label = fmt::format("Segment {}", number);
  put(item, DCM_SegmentLabel, label);
  std::string description = segment.description;
  if (is_empty(segment)) {
    description += (description.empty() ? "" : " ") + std::string(kNothingFound);
  }
  if (!description.empty()) {
    put(item, DCM_SegmentDescription, clean_text(description, 1024, source));
  }
  put(item, DCM_SegmentAlgorithmType, "AUTOMATIC");
  put(item, DCM_SegmentAlgorithmName, clean_text(algorithm.name, 64, source));
  DcmItem& made_by = add_item(item, DCM_SegmentationAlgorithmIdentificationSequence);
  put_algorithm(made_by, algorithm, source);
  put_code(item, DCM_SegmentedPropertyCategoryCodeSequence, segment.category);
  DcmItem& type = put_code(item, DCM_SegmentedPropertyTypeCodeSequence, segment.type);
  if (segment.modifier) {
    put_code(type, DCM_SegmentedPropertyTypeModifierCodeSequence, *segment.modifier);
  }
  if (segment.region) put_code(item, DCM_AnatomicRegionSequence, *segment.region);
  const std::array<uint16_t, 3> lab = media::cielab_of(segment.colour);
  item.putAndInsertUint16Array(DCM_RecommendedDisplayCIELabValue, lab.data(), lab.size());
  put(item, DCM_TrackingID, label);
  put(item, DCM_TrackingUID, new_uid());
}

bool overlaps(const Segmentation& segmentation) {
  const int64_t size = slice_voxels(segmentation.grid);
  std::vector<uint8_t> taken(static_cast<size_t>(size));
  for (int64_t k = 0; k < segmentation.grid.size[2]; ++k) {
    std::fill(taken.begin(), taken.end(), uint8_t{0});
    for (const Segment& segment : segmentation.segments) {
      const uint8_t* at = segment.voxels.data() + k * size;
      for (size_t i = 0; i < taken.size(); ++i) {
        if (at[i] == 0) continue;
        if (taken[i] != 0) return true;
        taken[i] = 1;
      }
    }
  }
  return false;
}

void put_general(DcmDataset& data, const Segmentation& segmentation, size_t frames) {
  OFString date, time;
  DcmDate::getCurrentDate(date);
  DcmTime::getCurrentTime(time);
  put(data, DCM_ContentDate, date);
  put(data, DCM_ContentTime, time);
  put(data, DCM_ImageType, "DERIVED\\PRIMARY");
  put(data, DCM_ContentLabel, "SEGMENTATION");
  put(data, DCM_ContentDescription, kResearchUseOnly);
  put(data, DCM_ContentCreatorName, "Vesalius^Program");
  if (!data.tagExists(DCM_LossyImageCompression)) put(data, DCM_LossyImageCompression, "00");
  const bool fractional = segmentation.fractional;
  const int bits = fractional ? 8 : 1;
  put(data, DCM_SamplesPerPixel, 1);
  put(data, DCM_PhotometricInterpretation, "MONOCHROME2");
  put(data, DCM_NumberOfFrames, static_cast<int>(frames));
  put(data, DCM_Rows, static_cast<int>(segmentation.grid.size[1]));
  put(data, DCM_Columns, static_cast<int>(segmentation.grid.size[0]));
  put(data, DCM_BitsAllocated, bits);
  put(data, DCM_BitsStored, bits);
  put(data, DCM_HighBit, bits - 1);
  put(data, DCM_PixelRepresentation, 0);
  put(data, DCM_SegmentationType, fractional ? "FRACTIONAL" : "BINARY");
  if (fractional) {
    put(data, DCM_SegmentationFractionalType, "PROBABILITY");
    put(data, DCM_MaximumFractionalValue, 255);
  }
  put(data, DCM_SegmentsOverlap, overlaps(segmentation) ? "YES" : "NO");
}

/// Viewers look here for the images that a segmentation belongs to.
void put_referenced_series(DcmDataset& data, const DicomSource& source) {
  DcmItem& series = add_item(data, DCM_ReferencedSeriesSequence);
  put(series, DCM_SeriesInstanceUID, source.series_uid);
  for (const SourceFrame& frame : source.frames) {
    if (frame.frame > 1) continue;  // of an image that is listed
    DcmItem& item = add_item(series, DCM_ReferencedInstanceSequence);
    put(item, DCM_ReferencedSOPClassUID, frame.sop_class);
    put(item, DCM_ReferencedSOPInstanceUID, frame.sop_instance);
  }
}

/// Frames behind each other; of one bit, without padding between them, first pixel lowest.
std::vector<uint8_t> pack(const Segmentation& segmentation, const std::vector<SegFrame>& frames,
                          const fs::path& path) {
  const auto size = static_cast<uint64_t>(slice_voxels(segmentation.grid));
  const uint64_t samples = size * frames.size();
  const uint64_t bytes = segmentation.fractional ? samples : (samples + 7) / 8;
  if (bytes > 0xFFFFFFF0) {
    fail(ErrorCode::kUnsupported,
         "{}: {} frames take more than the 4 GiB that a DICOM object holds; write fewer segments "
         "at a time",
         path.string(), frames.size());
  }
  std::vector<uint8_t> out(bytes + bytes % 2);
  uint64_t at = 0;
  for (const SegFrame& frame : frames) {
    const uint8_t* from = segmentation.segments[frame.segment].voxels.data() + frame.slice * size;
    if (segmentation.fractional) {
      std::copy_n(from, size, out.begin() + static_cast<int64_t>(at));
      at += size;
      continue;
    }
    for (uint64_t i = 0; i < size; ++i, ++at) {
      if (from[i] != 0) out[at / 8] = static_cast<uint8_t>(out[at / 8] | 1U << at % 8);
    }
  }
  return out;
}

void put_pixels(DcmDataset& data, const std::vector<uint8_t>& pixels) {
  data.putAndInsertUint8Array(DcmTag(DCM_PixelData, EVR_OB), pixels.data(), pixels.size());
}

void put_frame_of_reference(DcmDataset& data, const DicomSource& source) {
  put(data, DCM_FrameOfReferenceUID,
      source.frame_of_reference.empty() ? new_uid() : source.frame_of_reference);
  put(data, DCM_PositionReferenceIndicator, "");
}

/// By the reader that everybody's objects are read by.
bool reads_back(Bytes bytes, const Segmentation& segmentation, const fs::path& path) {
  const Segmentation read =
      on_grid(media::parse_dicom_seg(bytes, path.string()), segmentation.grid, path.string());
  bool same = read.segments.size() == segmentation.segments.size();
  for (size_t i = 0; same && i < read.segments.size(); ++i) {
    const Segment &a = read.segments[i], &b = segmentation.segments[i];
    const bool voxels = segmentation.fractional
                            ? a.voxels == b.voxels
                            : std::equal(a.voxels.begin(), a.voxels.end(), b.voxels.begin(),
                                         [](uint8_t x, uint8_t y) { return (x != 0) == (y != 0); });
    same = voxels && a.type == b.type && a.category == b.category && a.modifier == b.modifier;
  }
  return same;
}

void fill(DcmDataset& data, const Segmentation& segmentation, const DicomSource& source,
          const Algorithm& algorithm, const fs::path& path) {
  const std::vector<SegFrame> frames = frames_of(segmentation);
  begin_object(data, source, UID_SegmentationStorage, "SEG", source.series_number * 100 + 1);
  if (segmentation.grid.placed) {
    put_frame_of_reference(data, source);
  } else {
    put(data, DCM_PatientOrientation, source.patient_orientation);  // of a film; may be empty
  }
  put_general(data, segmentation, frames.size());
  put_dimensions(data, segmentation.grid);
  for (size_t s = 0; s < segmentation.segments.size(); ++s) {
    put_segment(data, segmentation.segments[s], static_cast<int>(s + 1), source, algorithm);
  }
  put_shared_groups(data, segmentation.grid);
  put_frame_groups(data, frames, segmentation.grid, source, path);
  put_referenced_series(data, source);
  put_pixels(data, pack(segmentation, frames, path));
}
}  // namespace

void write_dicom_seg(const fs::path& path, const Segmentation& segmentation,
                     const DicomSource& source, const Algorithm& algorithm) {
  check_input(segmentation, path);
  DcmFileFormat file;
  fill(*file.getDataset(), segmentation, source, algorithm, path);
  write_object(
      file, EXS_LittleEndianExplicit, path,
      [&](Bytes bytes) { return reads_back(bytes, segmentation, path); },
      "the segmentation that was written does not read back as it was");
}

}  // namespace vesalius::results
