#include "media/dicom_info.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace vesalius::media {

namespace {
std::string text(DcmItem& item, const DcmTagKey& tag) {
  OFString value;
  if (item.findAndGetOFString(tag, value).bad()) return {};
  std::string out(value.data(), value.size());
  const size_t end = out.find_last_not_of(" \0");
  return out.substr(0, end == std::string::npos ? 0 : end + 1);
}

/// Every number of a decimal string; what is not a finite number ends the list.
std::vector<double> numbers(DcmItem& item, const DcmTagKey& tag) {
  std::vector<double> out;
  OFString value;
  if (item.findAndGetOFStringArray(tag, value).bad()) return out;
  const char* at = value.data();
  const char* const end = at + value.size();
  while (at < end) {
    while (at < end && (*at == ' ' || *at == '+' || *at == '\\')) ++at;
    double number = 0;
    const auto result = std::from_chars(at, end, number);
    at = result.ptr;
    while (at < end && *at == ' ') ++at;
    const bool whole = result.ec == std::errc() && (at == end || *at == '\\');
    if (!whole || !std::isfinite(number)) break;
    out.push_back(number);
  }
  return out;
}

std::optional<double> number(DcmItem& item, const DcmTagKey& tag) {
  const std::vector<double> values = numbers(item, tag);
  return values.empty() ? std::nullopt : std::optional(values.front());
}

int integer(DcmItem& item, const DcmTagKey& tag, int otherwise) {
  Uint16 value = 0;
  return item.findAndGetUint16(tag, value).good() ? value : otherwise;
}

/// Item of a sequence, or null.
DcmItem* item_of(DcmItem& item, const DcmTagKey& sequence, int index = 0) {
  DcmItem* found = nullptr;
  return item.findAndGetSequenceItem(sequence, found, index).good() ? found : nullptr;
}

/// A data set as one frame sees it.
struct FrameView {
  DcmItem& data;
  int frame;

  /// The item that holds `macro` for this frame or for all; the data set itself in plain objects.
  DcmItem& group(const DcmTagKey& macro) const {
    DcmItem* const groups[] = {item_of(data, DCM_PerFrameFunctionalGroupsSequence, frame),
                               item_of(data, DCM_SharedFunctionalGroupsSequence)};
    for (DcmItem* group : groups) {
      if (group == nullptr) continue;
      if (DcmItem* item = item_of(*group, macro); item != nullptr) return *item;
    }
    return data;
  }
};

std::vector<uint16_t> words(DcmItem& item, const DcmTagKey& tag) {
  const Uint16* values = nullptr;
  unsigned long count = 0;  // NOLINT(google-runtime-int): DCMTK's type
  if (item.findAndGetUint16Array(tag, values, &count).good() && values != nullptr) {
    return {values, values + count};
  }
  const Uint8* bytes = nullptr;
  if (item.findAndGetUint8Array(tag, bytes, &count).bad() || bytes == nullptr) return {};
  std::vector<uint16_t> out(count / 2);
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<uint16_t>(bytes[2 * i] | bytes[2 * i + 1] << 8);
  return out;
}

/// Entries of eight bits may be packed two a word.
void spread_bytes(Lut& lut, size_t entries) {
  if (lut.bits > 8 || lut.values.size() * 2 < entries || lut.values.size() >= entries) return;
  std::vector<uint16_t> out;
  for (const uint16_t pair : lut.values) {
    out.push_back(pair & 0xFF);
    out.push_back(pair >> 8);
  }
  lut.values = std::move(out);
}

std::optional<Lut> read_lut(DcmItem& item, const DcmTagKey& descriptor, const DcmTagKey& data) {
  Sint16 first_signed = 0;
  Uint16 entries = 0, first = 0, bits = 0;
  const bool described = item.findAndGetUint16(descriptor, entries, 0).good() ||
                         item.findAndGetSint16(descriptor, first_signed, 0).good();
  if (!described) return std::nullopt;
  if (entries == 0) entries = static_cast<Uint16>(first_signed);
  Lut lut;
  if (item.findAndGetSint16(descriptor, first_signed, 1).good()) {
    lut.first = first_signed;
  } else if (item.findAndGetUint16(descriptor, first, 1).good()) {
    lut.first = first;
  }
  if (item.findAndGetUint16(descriptor, bits, 2).bad()) {
    bits = item.findAndGetSint16(descriptor, first_signed, 2).good()
               ? static_cast<Uint16>(first_signed)
               : 16;
  }
  lut.bits = std::clamp<int>(bits, 1, 16);
  lut.values = words(item, data);
  const size_t count = entries == 0 ? 65536 : entries;
  spread_bytes(lut, count);
  if (lut.values.size() > count) lut.values.resize(count);
  if (lut.values.empty()) return std::nullopt;
  return lut;
}

std::optional<Lut> sequence_lut(DcmItem& data, const DcmTagKey& sequence) {
  DcmItem* item = item_of(data, sequence);
  return item == nullptr ? std::nullopt : read_lut(*item, DCM_LUTDescriptor, DCM_LUTData);
}

void read_identity(DcmItem& data, DicomInfo& info) {
  info.sop_class_uid = text(data, DCM_SOPClassUID);
  info.sop_instance_uid = text(data, DCM_SOPInstanceUID);
  info.series_instance_uid = text(data, DCM_SeriesInstanceUID);
  info.study_instance_uid = text(data, DCM_StudyInstanceUID);
  info.modality = text(data, DCM_Modality);
  info.body_part = text(data, DCM_BodyPartExamined);
  info.view_position = text(data, DCM_ViewPosition);
  info.series_description = text(data, DCM_SeriesDescription);
  info.patient_id = text(data, DCM_PatientID);
  if (const auto value = number(data, DCM_InstanceNumber)) {
    info.instance_number = static_cast<int>(std::clamp(*value, -2e9, 2e9));
  }
}

void read_layout(DcmItem& data, DicomInfo& info) {
  info.photometric = text(data, DCM_PhotometricInterpretation);
  info.rows = integer(data, DCM_Rows, 0);
  info.columns = integer(data, DCM_Columns, 0);
  info.samples = integer(data, DCM_SamplesPerPixel, 1);
  info.bits_allocated = integer(data, DCM_BitsAllocated, 0);
  info.bits_stored = integer(data, DCM_BitsStored, info.bits_allocated);
  info.is_signed = integer(data, DCM_PixelRepresentation, 0) == 1;
  // An absent count is one frame; one that is no number is zero, for the checks to refuse.
  if (data.tagExistsWithValue(DCM_NumberOfFrames)) {
    info.frames =
        static_cast<int>(std::clamp(number(data, DCM_NumberOfFrames).value_or(0), 0.0, 2e9));
  }
}

void read_geometry(const FrameView& view, DicomInfo& info) {
  info.image_position = numbers(view.group(DCM_PlanePositionSequence), DCM_ImagePositionPatient);
  info.image_orientation =
      numbers(view.group(DCM_PlaneOrientationSequence), DCM_ImageOrientationPatient);
  info.pixel_spacing = numbers(view.group(DCM_PixelMeasuresSequence), DCM_PixelSpacing);
  if (info.pixel_spacing.empty()) info.pixel_spacing = numbers(view.data, DCM_ImagerPixelSpacing);
}

void read_grayscale(const FrameView& view, DicomInfo& info) {
  DcmItem& rescale = view.group(DCM_PixelValueTransformationSequence);
  const auto slope = number(rescale, DCM_RescaleSlope),
             intercept = number(rescale, DCM_RescaleIntercept);
  if (slope && intercept) {
    info.rescale_slope = *slope;
    info.rescale_intercept = *intercept;
  }
  info.modality_lut = sequence_lut(view.data, DCM_ModalityLUTSequence);
  DcmItem& voi = view.group(DCM_FrameVOILUTSequence);
  const std::vector<double> centers = numbers(voi, DCM_WindowCenter),
                            widths = numbers(voi, DCM_WindowWidth);
  for (size_t i = 0; i < std::min(centers.size(), widths.size()); ++i) {
    info.windows.push_back({centers[i], widths[i]});
  }
  info.voi_lut_function = text(voi, DCM_VOILUTFunction);
  if (info.voi_lut_function.empty()) info.voi_lut_function = "LINEAR";
  info.voi_lut = sequence_lut(voi, DCM_VOILUTSequence);
}

void read_palette(DcmItem& data, DicomInfo& info) {
  info.palette[0] =
      read_lut(data, DCM_RedPaletteColorLookupTableDescriptor, DCM_RedPaletteColorLookupTableData);
  info.palette[1] = read_lut(data, DCM_GreenPaletteColorLookupTableDescriptor,
                             DCM_GreenPaletteColorLookupTableData);
  info.palette[2] = read_lut(data, DCM_BluePaletteColorLookupTableDescriptor,
                             DCM_BluePaletteColorLookupTableData);
}
}  // namespace

DicomInfo read_dicom_info(const ParsedDicom& parsed, int frame) {
  DcmItem& data = parsed.data();
  const FrameView view{data, frame};
  DicomInfo info;
  info.transfer_syntax_uid = parsed.syntax_uid;
  read_identity(data, info);
  read_layout(data, info);
  read_geometry(view, info);
  read_grayscale(view, info);
  read_palette(data, info);
  return info;
}

}  // namespace vesalius::media
