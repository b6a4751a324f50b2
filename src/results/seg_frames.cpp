#include "results/seg_frames.h"

#include <cmath>
#include <set>

#include "base/error.h"

namespace vesalius::results {

using media::Grid;
using media::Vector3;

namespace {
Vector3 unit(const Vector3& v) {
  const double size = media::length(v);
  return {v[0] / size, v[1] / size, v[2] / size};
}

void put_dimension(DcmItem& data, const std::string& organization, const DcmTagKey& index,
                   const DcmTagKey& group, const char* label) {
  DcmItem& item = add_item(data, DCM_DimensionIndexSequence);
  put(item, DCM_DimensionOrganizationUID, organization);
  item.putAndInsertTagKey(DCM_DimensionIndexPointer, index);
  item.putAndInsertTagKey(DCM_FunctionalGroupPointer, group);
  put(item, DCM_DimensionDescriptionLabel, label);
}

void put_derivation(DcmItem& group, const SourceFrame& source) {
  DcmItem& derivation = add_item(group, DCM_DerivationImageSequence);
  put_code(derivation, DCM_DerivationCodeSequence, {"113076", "DCM", "Segmentation"});
  DcmItem& image = add_item(derivation, DCM_SourceImageSequence);
  put_reference(image, source);
  put(image, DCM_SpatialLocationsPreserved, "YES");
  put_code(image, DCM_PurposeOfReferenceCodeSequence,
           {"121322", "DCM", "Source image for image processing operation"});
}

/// The source's frame in slice k, if it has the same pixels.
const SourceFrame* source_of(const DicomSource& source, const Grid& grid, int64_t k) {
  const SourceFrame* frame = source.frame_of_slice(grid, k);
  const bool same =
      frame != nullptr && frame->columns == grid.size[0] && frame->rows == grid.size[1];
  return same ? frame : nullptr;
}

/// Its place among the dimensions, and in the patient; of a grid without place, in the stack.
void put_content(DcmItem& group, const SegFrame& frame, int64_t position, const Grid& grid) {
  DcmItem& content = add_item(group, DCM_FrameContentSequence);
  const Uint32 indices[] = {static_cast<Uint32>(frame.segment + 1), static_cast<Uint32>(position)};
  content.putAndInsertUint32Array(DCM_DimensionIndexValues, indices, 2);
  if (!grid.placed) {
    put(content, DCM_StackID, "1");
    content.putAndInsertUint32(DCM_InStackPositionNumber, static_cast<Uint32>(position));
    return;
  }
  const Vector3 at = grid.at(0, 0, static_cast<double>(frame.slice));
  put(add_item(group, DCM_PlanePositionSequence), DCM_ImagePositionPatient,
      decimals({at[0], at[1], at[2]}));
}
}  // namespace

void put_dimensions(DcmDataset& data, const Grid& grid) {
  const std::string organization = new_uid();
  put(add_item(data, DCM_DimensionOrganizationSequence), DCM_DimensionOrganizationUID,
      organization);
  put_dimension(data, organization, DCM_ReferencedSegmentNumber, DCM_SegmentIdentificationSequence,
                "Segment");
  if (grid.placed) {
    put_dimension(data, organization, DCM_ImagePositionPatient, DCM_PlanePositionSequence,
                  "Position");
  } else {
    put_dimension(data, organization, DCM_InStackPositionNumber, DCM_FrameContentSequence, "Frame");
  }
}

void put_shared_groups(DcmDataset& data, const Grid& grid) {
  DcmItem& shared = add_item(data, DCM_SharedFunctionalGroupsSequence);
  if (!grid.placed) return;
  const Vector3 row = unit(grid.step[0]), column = unit(grid.step[1]);
  put(add_item(shared, DCM_PlaneOrientationSequence), DCM_ImageOrientationPatient,
      decimals({row[0], row[1], row[2], column[0], column[1], column[2]}));
  // Along the normal, which a tilted gantry's steps are not.
  const std::string between =
      decimal(std::abs(media::dot(grid.step[2], media::cross(row, column))));
  DcmItem& measures = add_item(shared, DCM_PixelMeasuresSequence);
  put(measures, DCM_PixelSpacing, decimals({grid.spacing(1), grid.spacing(0)}));
  put(measures, DCM_SliceThickness, between);
  put(measures, DCM_SpacingBetweenSlices, between);
}

void put_frame_groups(DcmDataset& data, const std::vector<SegFrame>& frames, const Grid& grid,
                      const DicomSource& source, const fs::path& path) {
  std::set<int64_t> slices;
  for (const SegFrame& frame : frames) slices.insert(frame.slice);
  for (const SegFrame& frame : frames) {
    DcmItem& group = add_item(data, DCM_PerFrameFunctionalGroupsSequence);
    const SourceFrame* from = source_of(source, grid, frame.slice);
    if (from != nullptr) {
      put_derivation(group, *from);
    } else if (grid.placed) {
      group.insertEmptyElement(DCM_DerivationImageSequence);  // made from no image that is known
    } else {
      fail(ErrorCode::kUnsupported,
           "{}: slice {} has no image of its size in the source series; give the images that "
           "were segmented",
           path.string(), frame.slice);
    }
    const auto rank = std::distance(slices.begin(), slices.find(frame.slice));
    put_content(group, frame, rank + 1, grid);
    put(add_item(group, DCM_SegmentIdentificationSequence), DCM_ReferencedSegmentNumber,
        static_cast<int>(frame.segment + 1));
  }
}

}  // namespace vesalius::results
