#include "results/dicom_object.h"

#include <dcmtk/dcmdata/dcostrmb.h>

#include <algorithm>

#include "base/error.h"
#include "base/version.h"

namespace vesalius::results {

namespace {
constexpr const char* kSeriesDescription =
    "AI segmentation. Research use only, not for diagnosis.";  // LO: 64 characters

void check(const OFCondition& condition, const DcmTagKey& tag) {
  if (condition.good()) return;
  fail(ErrorCode::kFailed, "attribute {} of a DICOM object cannot be set ({})",
       DcmTag(tag).getTagName(), condition.text());
}

/// The file as it will stand on the disk.
std::vector<uint8_t> encode(DcmFileFormat& file, E_TransferSyntax syntax, const fs::path& path) {
  std::vector<uint8_t> buffer(1 << 20), out;
  out.reserve(file.getDataset()->calcElementLength(syntax, EET_ExplicitLength) + size_t{4096});
  DcmOutputBufferStream stream(buffer.data(), static_cast<offile_off_t>(buffer.size()));
  file.transferInit();
  OFCondition condition = EC_StreamNotifyClient;
  while (condition == EC_StreamNotifyClient) {
    condition = file.write(stream, syntax, EET_ExplicitLength, nullptr);
    void* bytes = nullptr;
    offile_off_t size = 0;
    stream.flushBuffer(bytes, size);
    const auto* from = static_cast<const uint8_t*>(bytes);
    out.insert(out.end(), from, from + size);
  }
  file.transferEnd();
  if (condition.good()) return out;
  fail(ErrorCode::kFailed, "{}: the DICOM object cannot be encoded ({})", path.string(),
       condition.text());
}

bool starts_character(char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; }
}  // namespace

void put(DcmItem& item, const DcmTagKey& tag, std::string_view text) {
  const std::string value(text);
  check(item.putAndInsertString(DcmTag(tag), value.c_str()), tag);
}

void put(DcmItem& item, const DcmTagKey& tag, int value) {
  if (DcmTag(tag).getEVR() == EVR_US) {
    check(item.putAndInsertUint16(DcmTag(tag), static_cast<Uint16>(value)), tag);
  } else {
    put(item, tag, std::to_string(value));
  }
}

DcmItem& add_item(DcmItem& item, const DcmTagKey& sequence) {
  DcmItem* added = nullptr;
  check(item.findOrCreateSequenceItem(DcmTag(sequence), added, -2), sequence);  // -2: append
  return *added;
}

DcmItem& put_code(DcmItem& item, const DcmTagKey& sequence, const media::Code& code) {
  DcmItem& added = add_item(item, sequence);
  put(added, DCM_CodeValue, code.value);
  put(added, DCM_CodingSchemeDesignator, code.scheme);
  put(added, DCM_CodeMeaning, code.meaning);
  return added;
}

std::string decimal(double value) {
  for (int digits = 15; digits > 1; --digits) {
    std::string text = fmt::format("{:.{}g}", value == 0 ? 0.0 : value, digits);
    if (text.size() <= 16) return text;
  }
  fail(ErrorCode::kFailed, "{} is no number that DICOM can hold", value);
}

std::string decimals(const std::vector<double>& values) {
  std::string out;
  for (const double value : values) out += (out.empty() ? "" : "\\") + decimal(value);
  return out;
}

std::string clean_text(std::string_view text, size_t max_bytes, const DicomSource& source) {
  size_t size = std::min(text.size(), max_bytes);
  while (size > 0 && size < text.size() && !starts_character(text[size])) --size;
  std::string out(text.substr(0, size));
  for (char& c : out) {
    const auto code = static_cast<uint8_t>(c);
    if (code < ' ' || code == 0x7F) c = ' ';
    if (c == '\\') c = '/';
    if (!source.unicode && code > 0x7F) c = '?';
  }
  return out;
}

void begin_object(DcmDataset& data, const DicomSource& source, const char* sop_class,
                  const char* modality, int series_number) {
  for (DcmObject* at = source.context->nextInContainer(nullptr); at != nullptr;
       at = source.context->nextInContainer(at)) {
    if (auto* element = dynamic_cast<DcmElement*>(at)) {
      source.context->findAndInsertCopyOfElement(element->getTag(), &data);
    }
  }
  if (source.unicode) put(data, DCM_SpecificCharacterSet, "ISO_IR 192");
  OFString date, time;
  DcmDate::getCurrentDate(date);
  DcmTime::getCurrentTime(time);
  for (const DcmTagKey& tag : {DCM_SeriesDate, DCM_InstanceCreationDate}) put(data, tag, date);
  for (const DcmTagKey& tag : {DCM_SeriesTime, DCM_InstanceCreationTime}) put(data, tag, time);
  put(data, DCM_SOPClassUID, sop_class);
  put(data, DCM_SOPInstanceUID, new_uid());
  put(data, DCM_SeriesInstanceUID, new_uid());
  put(data, DCM_Modality, modality);
  put(data, DCM_SeriesNumber, series_number);
  put(data, DCM_SeriesDescription, kSeriesDescription);
  put(data, DCM_InstanceNumber, 1);
  put(data, DCM_Manufacturer, "Vesalius");
  put(data, DCM_ManufacturerModelName, "vesalius");
  put(data, DCM_DeviceSerialNumber, version());
  put(data, DCM_SoftwareVersions, version());
}

void put_algorithm(DcmItem& item, const Algorithm& algorithm, const DicomSource& source) {
  put_code(item, DCM_AlgorithmFamilyCodeSequence, {"123110", "DCM", "Artificial Intelligence"});
  put(item, DCM_AlgorithmName, clean_text(algorithm.name, 64, source));
  put(item, DCM_AlgorithmVersion, clean_text(algorithm.version, 64, source));
  if (!algorithm.parameters.empty()) {
    put(item, DCM_AlgorithmParameters, clean_text(algorithm.parameters, 10240, source));
  }
}

void put_reference(DcmItem& item, const SourceFrame& frame) {
  put(item, DCM_ReferencedSOPClassUID, frame.sop_class);
  put(item, DCM_ReferencedSOPInstanceUID, frame.sop_instance);
  if (frame.frame > 0) put(item, DCM_ReferencedFrameNumber, frame.frame);
}

void write_object(DcmFileFormat& file, E_TransferSyntax syntax, const fs::path& path,
                  const std::function<bool(Bytes)>& reads_back, std::string_view differs) {
  const std::vector<uint8_t> bytes = encode(file, syntax, path);
  if (!reads_back(bytes))
    fail(ErrorCode::kFailed, "{}: {}; the object is not kept", path.string(), differs);
  FileWriter writer(path);
  writer.write(bytes.data(), bytes.size());
  writer.commit();
}

}  // namespace vesalius::results
