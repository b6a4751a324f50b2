#include "media/rtstruct.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "media/dicom_items.h"
#include "media/dicom_stream.h"

namespace vesalius::media {

namespace {
std::optional<int> number_of(DcmItem& item, const DcmTagKey& tag) {
  const std::vector<double> values = numbers_of(item, tag);
  if (values.empty()) return std::nullopt;
  return static_cast<int>(std::clamp(values.front(), -2e9, 2e9));
}

bool encloses(const std::string& type) {
  return type == "CLOSED_PLANAR" || type == "CLOSEDPLANAR_XOR";
}

Contour read_contour(DcmItem& item, const std::string& where) {
  const std::vector<double> values = numbers_of(item, DCM_ContourData);
  const auto points = number_of(item, DCM_NumberOfContourPoints);
  if (values.size() % 3 != 0 || !points || values.size() / 3 != static_cast<size_t>(*points)) {
    fail(ErrorCode::kUnsupported,
         "{}: a contour says that it has {} points, and {} coordinates are there; the object is "
         "damaged",
         where, points.value_or(0), values.size());
  }
  Contour contour;
  for (size_t i = 0; i < values.size(); i += 3) {
    contour.points.push_back({values[i], values[i + 1], values[i + 2]});
  }
  if (DcmItem* image = item_of(item, DCM_ContourImageSequence); image != nullptr) {
    contour.source_instance = text_of(*image, DCM_ReferencedSOPInstanceUID);
  }
  return contour;
}

void read_contours(DcmItem& item, Structure& structure, const std::string& where) {
  const std::vector<double> colour = numbers_of(item, DCM_ROIDisplayColor);
  for (size_t i = 0; i < 3 && colour.size() == 3; ++i) {
    structure.colour[i] = static_cast<uint8_t>(std::clamp(colour[i], 0.0, 255.0));
  }
  for (DcmItem* contour : items_of(item, DCM_ContourSequence)) {
    if (!encloses(text_of(*contour, DCM_ContourGeometricType))) continue;
    structure.contours.push_back(read_contour(*contour, where));
  }
}

std::vector<Structure> read_structures(DcmItem& data, const std::string& where) {
  std::vector<Structure> structures;
  std::map<int, size_t> index_of;
  for (DcmItem* item : items_of(data, DCM_StructureSetROISequence)) {
    const auto number = number_of(*item, DCM_ROINumber);
    if (!number || !index_of.emplace(*number, structures.size()).second) {
      fail(ErrorCode::kUnsupported,
           "{}: two regions have one number, or one has none; the object is damaged", where);
    }
    structures.push_back({*number, text_of(*item, DCM_ROIName), {}, {}});
  }
  for (DcmItem* item : items_of(data, DCM_ROIContourSequence)) {
    const auto number = number_of(*item, DCM_ReferencedROINumber);
    const auto found = number ? index_of.find(*number) : index_of.end();
    if (found == index_of.end()) {
      fail(ErrorCode::kUnsupported,
           "{}: contours belong to a region that is not described; the object is damaged", where);
    }
    read_contours(*item, structures[found->second], where);
  }
  return structures;
}

std::string frame_of_reference(DcmItem& data) {
  DcmItem* referenced = item_of(data, DCM_ReferencedFrameOfReferenceSequence);
  const std::string uid =
      referenced == nullptr ? "" : text_of(*referenced, DCM_FrameOfReferenceUID);
  if (!uid.empty()) return uid;
  DcmItem* region = item_of(data, DCM_StructureSetROISequence);
  return region == nullptr ? "" : text_of(*region, DCM_ReferencedFrameOfReferenceUID);
}
}  // namespace

StructureSet parse_rtstruct(Bytes bytes, const std::string& where) {
  const ParsedDicom parsed = parse_dicom(bytes, where);
  DcmItem& data = parsed.data();
  const std::string object = text_of(data, DCM_SOPClassUID);
  if (object != UID_RTStructureSetStorage) {
    fail(ErrorCode::kUnsupported, "{}: not an RT structure set but {}; give an RTSTRUCT object",
         where, dcmFindNameOfUID(object.c_str(), "an unknown kind of object"));
  }
  if (!parsed.damage.empty()) {
    fail(ErrorCode::kUnsupported, "{}: the structure set breaks off ({}); the file is damaged",
         where, parsed.damage);
  }
  to_utf8(data);
  return {text_of(data, DCM_StructureSetLabel), frame_of_reference(data),
          read_structures(data, where)};
}

StructureSet read_rtstruct(const fs::path& path) {
  const auto file = MappedFile::open(path);
  return parse_rtstruct(file->bytes(), path.string());
}

}  // namespace vesalius::media
