#include "media/dicom_info.h"

#include <algorithm>

#include "media/dicom_items.h"

namespace vesalius::media {

namespace {
std::optional<double> number_of(DcmItem& item, const DcmTagKey& tag) {
  const std::vector<double> values = numbers_of(item, tag);
  return values.empty() ? std::nullopt : std::optional(values.front());
}

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
  info.sop_class_uid = first_text_of(data, DCM_SOPClassUID);
  info.sop_instance_uid = first_text_of(data, DCM_SOPInstanceUID);
  info.series_instance_uid = first_text_of(data, DCM_SeriesInstanceUID);
  info.study_instance_uid = first_text_of(data, DCM_StudyInstanceUID);
  info.modality = first_text_of(data, DCM_Modality);
  info.body_part = first_text_of(data, DCM_BodyPartExamined);
  info.view_position = first_text_of(data, DCM_ViewPosition);
  info.series_description = first_text_of(data, DCM_SeriesDescription);
  info.patient_id = first_text_of(data, DCM_PatientID);
  if (const auto value = number_of(data, DCM_InstanceNumber)) {
    info.instance_number = static_cast<int>(std::clamp(*value, -2e9, 2e9));
  }
}

void read_layout(DcmItem& data, DicomInfo& info) {
  info.photometric = first_text_of(data, DCM_PhotometricInterpretation);
  info.rows = integer_of(data, DCM_Rows).value_or(0);
  info.columns = integer_of(data, DCM_Columns).value_or(0);
  info.samples = integer_of(data, DCM_SamplesPerPixel).value_or(1);
  info.bits_allocated = integer_of(data, DCM_BitsAllocated).value_or(0);
  info.bits_stored = integer_of(data, DCM_BitsStored).value_or(info.bits_allocated);
  info.is_signed = integer_of(data, DCM_PixelRepresentation).value_or(0) == 1;
  // An absent count is one frame; one that is no number is zero, for the checks to refuse.
  if (data.tagExistsWithValue(DCM_NumberOfFrames)) {
    info.frames =
        static_cast<int>(std::clamp(number_of(data, DCM_NumberOfFrames).value_or(0), 0.0, 2e9));
  }
}

void read_geometry(const FrameGroups& view, DicomInfo& info) {
  info.image_position = numbers_of(view.macro(DCM_PlanePositionSequence), DCM_ImagePositionPatient);
  info.image_orientation =
      numbers_of(view.macro(DCM_PlaneOrientationSequence), DCM_ImageOrientationPatient);
  info.pixel_spacing = numbers_of(view.macro(DCM_PixelMeasuresSequence), DCM_PixelSpacing);
  if (info.pixel_spacing.empty())
    info.pixel_spacing = numbers_of(view.data, DCM_ImagerPixelSpacing);
}

void read_grayscale(const FrameGroups& view, DicomInfo& info) {
  DcmItem& rescale = view.macro(DCM_PixelValueTransformationSequence);
  const auto slope = number_of(rescale, DCM_RescaleSlope),
             intercept = number_of(rescale, DCM_RescaleIntercept);
  if (slope && intercept) {
    info.rescale_slope = *slope;
    info.rescale_intercept = *intercept;
  }
  info.modality_lut = sequence_lut(view.data, DCM_ModalityLUTSequence);
  DcmItem& voi = view.macro(DCM_FrameVOILUTSequence);
  const std::vector<double> centers = numbers_of(voi, DCM_WindowCenter),
                            widths = numbers_of(voi, DCM_WindowWidth);
  for (size_t i = 0; i < std::min(centers.size(), widths.size()); ++i) {
    info.windows.push_back({centers[i], widths[i]});
  }
  info.voi_lut_function = first_text_of(voi, DCM_VOILUTFunction);
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
  const FrameGroups view{item_of(data, DCM_PerFrameFunctionalGroupsSequence, frame),
                         item_of(data, DCM_SharedFunctionalGroupsSequence), data};
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
