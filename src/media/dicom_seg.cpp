#include "media/dicom_seg.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "media/cielab.h"
#include "media/dicom.h"
#include "media/dicom_items.h"
#include "media/dicom_seg_grid.h"
#include "media/dicom_stream.h"

namespace vesalius::media {

namespace {
constexpr const char* kLabelMapStorage = "1.2.840.10008.5.1.4.1.1.66.7";  // unknown to DCMTK 3.6.7

enum class Kind { kBinary, kFractional, kLabelMap };

/// What the data set says besides its pixels.
struct Header {
  Kind kind = Kind::kBinary;
  int max_fraction = 255;
  std::optional<int> padding;      // label maps: another value of the background
  std::map<int, size_t> index_of;  // by segment number
  std::vector<int> frame_segment;  // number, for each frame; not of label maps
  SegFrames frames;
};

Kind kind_of(DcmItem& data, const std::string& where) {
  const std::string type = text_of(data, DCM_SegmentationType);
  if (type == "BINARY") return Kind::kBinary;
  if (type == "FRACTIONAL") return Kind::kFractional;
  if (type == "LABELMAP") return Kind::kLabelMap;
  fail(ErrorCode::kUnsupported,
       "{}: a segmentation of type '{}' is not read here; BINARY, FRACTIONAL and LABELMAP are",
       where, type);
}

void check_object(DcmItem& data, const std::string& where) {
  const std::string object = text_of(data, DCM_SOPClassUID);
  if (object != UID_SegmentationStorage && object != kLabelMapStorage) {
    fail(ErrorCode::kUnsupported, "{}: not a DICOM segmentation but {}; give a SEG object", where,
         dcmFindNameOfUID(object.c_str(), "an unknown kind of object"));
  }
  if (data.tagExists(DCM_TotalPixelMatrixRows)) {
    fail(ErrorCode::kUnsupported,
         "{}: a tiled segmentation of a slide; only images and volumes are read here", where);
  }
}

bool is_background(const Code& type) { return type.value == "125040" && type.scheme == "DCM"; }

Segment read_segment(DcmItem& item) {
  Segment segment;
  segment.label = text_of(item, DCM_SegmentLabel);
  segment.description = text_of(item, DCM_SegmentDescription);
  segment.category = code_of(item, DCM_SegmentedPropertyCategoryCodeSequence).value_or(Code{});
  segment.type = code_of(item, DCM_SegmentedPropertyTypeCodeSequence).value_or(Code{});
  if (DcmItem* type = item_of(item, DCM_SegmentedPropertyTypeCodeSequence); type != nullptr) {
    segment.modifier = code_of(*type, DCM_SegmentedPropertyTypeModifierCodeSequence);
  }
  segment.region = code_of(item, DCM_AnatomicRegionSequence);
  const auto l = integer_of(item, DCM_RecommendedDisplayCIELabValue, 0),
             a = integer_of(item, DCM_RecommendedDisplayCIELabValue, 1),
             b = integer_of(item, DCM_RecommendedDisplayCIELabValue, 2);
  if (l && a && b) {
    segment.colour =
        srgb_of({static_cast<uint16_t>(*l), static_cast<uint16_t>(*a), static_cast<uint16_t>(*b)});
  }
  return segment;
}

/// By their numbers; a label map's background is no segment.
std::vector<Segment> read_segments(DcmItem& data, Header& header, const std::string& where) {
  std::map<int, Segment> by_number;
  for (DcmItem* item : items_of(data, DCM_SegmentSequence)) {
    const auto number = integer_of(*item, DCM_SegmentNumber);
    Segment segment = read_segment(*item);
    if (header.kind == Kind::kLabelMap && is_background(segment.type)) continue;
    if (!number || !by_number.emplace(*number, std::move(segment)).second) {
      fail(ErrorCode::kUnsupported,
           "{}: two segments have one number, or one has none; the object is damaged", where);
    }
  }
  std::vector<Segment> segments;
  for (auto& [number, segment] : by_number) {
    header.index_of[number] = segments.size();
    segments.push_back(std::move(segment));
  }
  return segments;
}

void read_frame_segments(DcmItem& data, Header& header, const std::string& where) {
  for (const FrameGroups& frame : frame_groups(data)) {
    const auto number =
        integer_of(frame.macro(DCM_SegmentIdentificationSequence), DCM_ReferencedSegmentNumber);
    if (!number || !header.index_of.contains(*number)) {
      fail(ErrorCode::kUnsupported,
           "{}: a frame belongs to segment {}, which is not described; the object is damaged",
           where, number.value_or(0));
    }
    header.frame_segment.push_back(*number);
  }
}

Header read_header(DcmItem& data, Segmentation& out, const std::string& where) {
  check_object(data, where);
  to_utf8(data);
  Header header;
  header.kind = kind_of(data, where);
  header.max_fraction = std::max(1, integer_of(data, DCM_MaximumFractionalValue).value_or(255));
  header.padding = integer_of(data, DCM_PixelPaddingValue);
  out.fractional = header.kind == Kind::kFractional;
  out.segments = read_segments(data, header, where);
  if (header.kind != Kind::kLabelMap) read_frame_segments(data, header, where);
  header.frames = read_seg_frames(data, where);
  return header;
}

/// Several frames of one slice and segment (time points) are laid over each other.
void add_frame(const std::vector<int32_t>& values, const Header& header, uint8_t* out) {
  for (size_t i = 0; i < values.size(); ++i) {
    const int value = values[i];
    const int scaled =
        header.kind == Kind::kBinary
            ? static_cast<int>(value != 0)
            : (std::clamp(value, 0, header.max_fraction) * 255 + header.max_fraction / 2) /
                  header.max_fraction;
    out[i] = std::max(out[i], static_cast<uint8_t>(scaled));
  }
}

void add_labels(const std::vector<int32_t>& values, const Header& header, int64_t offset,
                Segmentation& out, const std::string& where) {
  for (size_t i = 0; i < values.size(); ++i) {
    const int value = values[i];
    const auto found = header.index_of.find(value);
    if (found != header.index_of.end()) {
      out.segments[found->second].voxels[static_cast<size_t>(offset) + i] = 1;
    } else if (value != 0 && value != header.padding) {
      fail(ErrorCode::kUnsupported,
           "{}: a voxel belongs to segment {}, which is not described; the object is damaged",
           where, value);
    }
  }
}

void read_voxels(const DicomFile& file, const Header& header, Segmentation& out,
                 const std::string& where) {
  const int64_t slice_voxels = out.grid.size[0] * out.grid.size[1];
  for (int f = 0; f < file.info().frames; ++f) {
    const DicomFrame frame = file.frame(f);
    const auto at = static_cast<size_t>(f);
    const int64_t offset = header.frames.slice[at] * slice_voxels;
    if (header.kind == Kind::kLabelMap) {
      add_labels(frame.values, header, offset, out, where);
    } else {
      Segment& segment = out.segments[header.index_of.at(header.frame_segment[at])];
      add_frame(frame.values, header, segment.voxels.data() + offset);
    }
  }
}

void check_frames(const DicomInfo& info, const Header& header, const std::string& where) {
  if (info.samples == 1 && header.frames.slice.size() == static_cast<size_t>(info.frames)) return;
  fail(ErrorCode::kUnsupported,
       "{}: {} frames of {} samples a pixel, and {} are described; the object is damaged", where,
       info.frames, info.samples, header.frames.slice.size());
}

void allocate(Segmentation& out, uint64_t max_bytes, const std::string& where) {
  const auto slices = static_cast<uint64_t>(out.grid.size[2]);
  const auto slice_voxels = static_cast<uint64_t>(out.grid.size[0] * out.grid.size[1]);
  const auto segments = std::max<uint64_t>(1, out.segments.size());
  if (slices > max_bytes / slice_voxels / segments) {
    fail(ErrorCode::kUnsupported,
         "{}: {} segments of {} slices of {} x {} voxels take more than {} bytes; split the object "
         "into fewer segments",
         where, out.segments.size(), slices, out.grid.size[0], out.grid.size[1], max_bytes);
  }
  for (Segment& segment : out.segments) segment.voxels.assign(slices * slice_voxels, 0);
}
}  // namespace

Segmentation parse_dicom_seg(Bytes bytes, const std::string& where, uint64_t max_bytes) {
  Segmentation out;
  Header header;
  {
    const ParsedDicom parsed = parse_dicom(bytes, where, Extent::kHeader);
    header = read_header(parsed.data(), out, where);
  }
  const DicomFile file = DicomFile::parse(bytes, where);
  check_frames(file.info(), header, where);
  out.grid = header.frames.grid;
  out.grid.size[0] = file.info().columns;
  out.grid.size[1] = file.info().rows;
  allocate(out, max_bytes, where);
  read_voxels(file, header, out, where);
  return out;
}

Segmentation read_dicom_seg(const fs::path& path) {
  const auto file = MappedFile::open(path);
  return parse_dicom_seg(file->bytes(), path.string());
}

}  // namespace vesalius::media
