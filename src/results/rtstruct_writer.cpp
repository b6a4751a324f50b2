#include "results/rtstruct_writer.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/version.h"
#include "media/rtstruct.h"
#include "results/contours.h"
#include "results/dicom_object.h"

namespace vesalius::results {

using media::Grid;
using media::Segment;
using media::Segmentation;
using media::Vector3;

namespace {
constexpr const char* kLabel = "AI RESEARCH";  // SH: 16 characters
constexpr const char* kResearchUseOnly = "Research use only, not for diagnosis";
constexpr const char* kStudyManagement = "1.2.840.10008.3.1.2.3.1";  // as PS3.3 C.8.8.5 still asks

/// The mask that contours are drawn around.
std::vector<uint8_t> mask_of(const Segment& segment, bool fractional) {
  std::vector<uint8_t> mask(segment.voxels.size());
  const int least = fractional ? 128 : 1;
  std::transform(segment.voxels.begin(), segment.voxels.end(), mask.begin(),
                 [&](uint8_t v) { return static_cast<uint8_t>(v >= least); });
  return mask;
}

void check_input(const Segmentation& segmentation, const fs::path& path) {
  const Grid& grid = segmentation.grid;
  if (!grid.placed || !spans_space(grid)) {
    fail(ErrorCode::kUnsupported,
         "{}: the image says nothing of its place in the patient, and contours are points there; "
         "choose seg, nifti or png",
         path.string());
  }
  for (const Segment& segment : segmentation.segments) {
    if (segment.voxels.size() == static_cast<size_t>(grid.voxels())) continue;
    fail(ErrorCode::kFailed, "{}: segment '{}' has {} voxels, and its grid {}", path.string(),
         segment.label, segment.voxels.size(), grid.voxels());
  }
}

/// A thousandth of a voxel is kept: more digits make large files and no better outlines.
std::string contour_data(const PlanePolygon& polygon, const Grid& grid, int64_t k, int digits) {
  std::string out;
  for (const PlanePoint& point : polygon) {
    const Vector3 at = grid.at(point[0], point[1], static_cast<double>(k));
    for (const double value : at) {
      const std::string text = fmt::format("{:.{}f}", value, digits);
      out += (out.empty() ? "" : "\\") + (text.size() > 16 ? decimal(value) : text);
    }
  }
  return out;
}

int decimals_for(const Grid& grid) {
  const double side = std::min({grid.spacing(0), grid.spacing(1), grid.spacing(2)});
  return std::clamp(static_cast<int>(std::ceil(3 - std::log10(side))), 0, 9);
}

void put_contours(DcmDataset& data, const Segment& segment, int number,
                  const Segmentation& segmentation, const DicomSource& source) {
  const Grid& grid = segmentation.grid;
  DcmItem& region = add_item(data, DCM_ROIContourSequence);
  put(region, DCM_ReferencedROINumber, number);
  put(region, DCM_ROIDisplayColor,
      fmt::format("{}\\{}\\{}", segment.colour[0], segment.colour[1], segment.colour[2]));
  const std::vector<uint8_t> mask = mask_of(segment, segmentation.fractional);
  const auto size = static_cast<size_t>(grid.size[0] * grid.size[1]);
  const int digits = decimals_for(grid);
  int count = 0;
  for (int64_t k = 0; k < grid.size[2]; ++k) {
    const std::span<const uint8_t> slice(mask.data() + static_cast<size_t>(k) * size, size);
    const SourceFrame* frame = source.frame_of_slice(grid, k);
    for (const PlanePolygon& polygon : outlines(slice, grid.size[0], grid.size[1])) {
      DcmItem& contour = add_item(region, DCM_ContourSequence);
      if (frame != nullptr) put_reference(add_item(contour, DCM_ContourImageSequence), *frame);
      put(contour, DCM_ContourGeometricType, "CLOSED_PLANAR");
      put(contour, DCM_NumberOfContourPoints, static_cast<int>(polygon.size()));
      put(contour, DCM_ContourNumber, ++count);
      put(contour, DCM_ContourData, contour_data(polygon, grid, k, digits));
    }
  }
}

void put_referenced_images(DcmDataset& data, const DicomSource& source,
                           const std::string& frame_of_reference) {
  DcmItem& place = add_item(data, DCM_ReferencedFrameOfReferenceSequence);
  put(place, DCM_FrameOfReferenceUID, frame_of_reference);
  DcmItem& study = add_item(place, DCM_RTReferencedStudySequence);
  put(study, DCM_ReferencedSOPClassUID, kStudyManagement);
  put(study, DCM_ReferencedSOPInstanceUID, source.study_uid);
  DcmItem& series = add_item(study, DCM_RTReferencedSeriesSequence);
  put(series, DCM_SeriesInstanceUID, source.series_uid);
  for (const SourceFrame& frame : source.frames) {
    if (frame.frame > 1) continue;  // of an image that is listed
    DcmItem& image = add_item(series, DCM_ContourImageSequence);
    put(image, DCM_ReferencedSOPClassUID, frame.sop_class);
    put(image, DCM_ReferencedSOPInstanceUID, frame.sop_instance);
  }
}

void put_region(DcmDataset& data, const Segment& segment, int number,
                const std::string& frame_of_reference, const DicomSource& source,
                const Algorithm& algorithm) {
  DcmItem& region = add_item(data, DCM_StructureSetROISequence);
  put(region, DCM_ROINumber, number);
  put(region, DCM_ReferencedFrameOfReferenceUID, frame_of_reference);
  put(region, DCM_ROIName, clean_text(segment.label, 64, source));
  if (!segment.description.empty()) {
    put(region, DCM_ROIDescription, clean_text(segment.description, 1024, source));
  }
  put(region, DCM_ROIGenerationAlgorithm, "AUTOMATIC");
  put(region, DCM_ROIGenerationDescription,
      clean_text(algorithm.name + " " + algorithm.version, 64, source));
}

void put_observation(DcmDataset& data, const Segment& segment, int number,
                     const DicomSource& source) {
  DcmItem& observation = add_item(data, DCM_RTROIObservationsSequence);
  put(observation, DCM_ObservationNumber, number);
  put(observation, DCM_ReferencedROINumber, number);
  put(observation, DCM_ROIObservationLabel, clean_text(segment.label, 16, source));
  if (!segment.type.value.empty()) {
    put_code(observation, DCM_RTROIIdentificationCodeSequence, segment.type);
  }
  put(observation, DCM_RTROIInterpretedType, "");
  put(observation, DCM_ROIInterpreter, "");
}

void put_structure_set(DcmDataset& data) {
  OFString date, time;
  DcmDate::getCurrentDate(date);
  DcmTime::getCurrentTime(time);
  put(data, DCM_StructureSetLabel, kLabel);
  put(data, DCM_StructureSetDescription, kResearchUseOnly);
  put(data, DCM_StructureSetDate, date);
  put(data, DCM_StructureSetTime, time);
  put(data, DCM_OperatorsName, "");
  put(data, DCM_ApprovalStatus, "UNAPPROVED");
}

bool reads_back(Bytes bytes, const Segmentation& segmentation, const fs::path& path) {
  const media::StructureSet read = media::parse_rtstruct(bytes, path.string());
  bool same = read.structures.size() == segmentation.segments.size();
  for (size_t i = 0; same && i < read.structures.size(); ++i) {
    same = media::rasterise(read.structures[i], segmentation.grid) ==
           mask_of(segmentation.segments[i], segmentation.fractional);
  }
  return same;
}

void fill(DcmDataset& data, const Segmentation& segmentation, const DicomSource& source,
          const Algorithm& algorithm) {
  const std::string frame_of_reference =
      source.frame_of_reference.empty() ? new_uid() : source.frame_of_reference;
  begin_object(data, source, UID_RTStructureSetStorage, "RTSTRUCT", source.series_number * 100 + 2);
  put_structure_set(data);
  put(data, DCM_FrameOfReferenceUID, frame_of_reference);
  put(data, DCM_PositionReferenceIndicator, "");
  put_referenced_images(data, source, frame_of_reference);
  int number = 0;
  for (const Segment& segment : segmentation.segments) {
    put_region(data, segment, ++number, frame_of_reference, source, algorithm);
    put_contours(data, segment, number, segmentation, source);
    put_observation(data, segment, number, source);
  }
}
}  // namespace

void write_rtstruct(const fs::path& path, const Segmentation& segmentation,
                    const DicomSource& source, const Algorithm& algorithm) {
  check_input(segmentation, path);
  DcmFileFormat file;
  fill(*file.getDataset(), segmentation, source, algorithm);
  // Implicit: a value of explicit DS ends at 64 KiB, and a long contour does not.
  write_object(
      file, EXS_LittleEndianImplicit, path,
      [&](Bytes bytes) { return reads_back(bytes, segmentation, path); },
      "the contours that were written do not enclose the voxels that they were drawn around");
}

}  // namespace vesalius::results
