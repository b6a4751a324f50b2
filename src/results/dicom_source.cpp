#include "results/dicom_source.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "media/dicom_items.h"
#include "media/dicom_stream.h"
#include "results/uid.h"

namespace vesalius::results {

using media::text_of;

namespace {
/// Patient, study and patient study, clinical trial (PS3.3 C.7.1 to C.7.2), and
/// whether pixels were ever compressed with loss, which what is derived from them must say too.
const std::vector<DcmTagKey>& context_tags() {
  static const std::vector<DcmTagKey> kTags = {DCM_SpecificCharacterSet,
                                               DCM_PatientName,
                                               DCM_PatientID,
                                               DCM_IssuerOfPatientID,
                                               DCM_PatientBirthDate,
                                               DCM_PatientSex,
                                               DCM_OtherPatientIDsSequence,
                                               DCM_EthnicGroup,
                                               DCM_PatientComments,
                                               DCM_PatientSpeciesDescription,
                                               DCM_PatientSpeciesCodeSequence,
                                               DCM_PatientBreedDescription,
                                               DCM_PatientBreedCodeSequence,
                                               DCM_BreedRegistrationSequence,
                                               DCM_ResponsiblePerson,
                                               DCM_ResponsiblePersonRole,
                                               DCM_ResponsibleOrganization,
                                               DCM_PatientIdentityRemoved,
                                               DCM_DeidentificationMethod,
                                               DCM_DeidentificationMethodCodeSequence,
                                               DCM_StudyInstanceUID,
                                               DCM_StudyDate,
                                               DCM_StudyTime,
                                               DCM_ReferringPhysicianName,
                                               DCM_StudyID,
                                               DCM_AccessionNumber,
                                               DCM_IssuerOfAccessionNumberSequence,
                                               DCM_StudyDescription,
                                               DCM_PatientAge,
                                               DCM_PatientSize,
                                               DCM_PatientWeight,
                                               DCM_ClinicalTrialSponsorName,
                                               DCM_ClinicalTrialProtocolID,
                                               DCM_ClinicalTrialProtocolName,
                                               DCM_ClinicalTrialSiteID,
                                               DCM_ClinicalTrialSiteName,
                                               DCM_ClinicalTrialSubjectID,
                                               DCM_ClinicalTrialSubjectReadingID,
                                               DCM_ClinicalTrialTimePointID,
                                               DCM_ClinicalTrialTimePointDescription,
                                               DCM_LossyImageCompression,
                                               DCM_LossyImageCompressionRatio,
                                               DCM_LossyImageCompressionMethod};
  return kTags;
}

/// Type 2 attributes that a broken source lacks are there, empty.
void add_missing(DcmItem& context) {
  for (const DcmTagKey& tag :
       {DCM_PatientName, DCM_PatientID, DCM_PatientBirthDate, DCM_PatientSex, DCM_StudyDate,
        DCM_StudyTime, DCM_ReferringPhysicianName, DCM_StudyID, DCM_AccessionNumber}) {
    if (!context.tagExists(tag)) context.insertEmptyElement(tag);
  }
}

/// Scanners write 62 for 062Y; copied, it would make our object invalid.
void drop_malformed_age(DcmItem& context) {
  DcmElement* age = nullptr;
  if (context.findAndGetElement(DCM_PatientAge, age).good() && age->checkValue("1").bad())
    context.findAndDeleteElement(DCM_PatientAge);
}

std::shared_ptr<DcmDataset> context_of(DcmItem& data) {
  auto context = std::make_shared<DcmDataset>();
  for (const DcmTagKey& tag : context_tags()) {
    if (data.tagExists(tag)) data.findAndInsertCopyOfElement(tag, context.get());
  }
  drop_malformed_age(*context);
  add_missing(*context);
  media::to_utf8(*context);
  return context;
}

/// What the data set says, or the meta information before it.
std::string identity(const media::ParsedDicom& parsed, const DcmTagKey& tag,
                     const DcmTagKey& meta_tag) {
  const std::string uid = text_of(parsed.data(), tag);
  return uid.empty() ? text_of(*parsed.file->getMetaInfo(), meta_tag) : uid;
}

SourceFrame instance_of(const media::ParsedDicom& parsed, const std::string& where) {
  SourceFrame frame;
  frame.sop_class = identity(parsed, DCM_SOPClassUID, DCM_MediaStorageSOPClassUID);
  frame.sop_instance = identity(parsed, DCM_SOPInstanceUID, DCM_MediaStorageSOPInstanceUID);
  frame.columns = media::integer_of(parsed.data(), DCM_Columns).value_or(0);
  frame.rows = media::integer_of(parsed.data(), DCM_Rows).value_or(0);
  if (!frame.sop_class.empty() && !frame.sop_instance.empty()) return frame;
  fail(ErrorCode::kUnsupported,
       "{}: the image has no SOP class or instance UID, so no DICOM object can refer to it; "
       "choose another format, such as nifti or png",
       where);
}

void add_frames(DcmItem& data, SourceFrame frame, DicomSource& source) {
  const std::vector<double> count = media::numbers_of(data, DCM_NumberOfFrames);
  const std::vector<media::FrameGroups> groups = media::frame_groups(data);
  const double frames = count.empty() ? 1 : std::clamp(count.front(), 1.0, 1e6);
  for (int f = 0; f < static_cast<int>(frames); ++f) {
    const auto& group = groups[std::min(static_cast<size_t>(f), groups.size() - 1)];
    DcmItem& place = group.macro(DCM_PlanePositionSequence);
    frame.position = media::vector_of(place, DCM_ImagePositionPatient);
    frame.frame = count.empty() ? 0 : f + 1;
    source.frames.push_back(frame);
  }
}

/// A UID of the study or series that an image without one would belong to.
std::string stand_in(const char* what, const std::string& instance, std::string& note) {
  note =
      "the images carry no study or series UID (removed by anonymisation?), so the objects made "
      "from them get UIDs of their own, and a viewer will not show them together";
  return uid_of_name(std::string(what) + " of " + instance);
}

/// Whose and which the series is, from its first file.
void begin_source(DcmItem& data, const std::string& instance, DicomSource& source) {
  source.context = context_of(data);
  const std::string set = text_of(*source.context, DCM_SpecificCharacterSet);
  source.unicode = set.empty() || set == "ISO_IR 6" || set == "ISO_IR 192";
  source.study_uid = text_of(data, DCM_StudyInstanceUID);
  source.series_uid = text_of(data, DCM_SeriesInstanceUID);
  source.frame_of_reference = text_of(data, DCM_FrameOfReferenceUID);
  source.patient_orientation = text_of(data, DCM_PatientOrientation);
  if (source.study_uid.empty()) source.study_uid = stand_in("study", instance, source.note);
  if (source.series_uid.empty()) source.series_uid = stand_in("series", instance, source.note);
  source.context->putAndInsertString(DCM_StudyInstanceUID, source.study_uid.c_str());
  const std::vector<double> number = media::numbers_of(data, DCM_SeriesNumber);
  if (!number.empty()) source.series_number = static_cast<int>(std::clamp(number[0], 0.0, 1e6));
}

void add_file(const fs::path& path, DicomSource& source) {
  const auto file = MappedFile::open(path);
  const media::ParsedDicom parsed =
      media::parse_dicom(file->bytes(), path.string(), media::Extent::kHeader);
  DcmItem& data = parsed.data();
  const SourceFrame frame = instance_of(parsed, path.string());
  if (!source.context) begin_source(data, frame.sop_instance, source);
  const std::string series = text_of(data, DCM_SeriesInstanceUID);
  if (!series.empty() && series != source.series_uid) {
    fail(ErrorCode::kUnsupported,
         "{}: belongs to another series than the files before it; give the files of one series",
         path.string());
  }
  add_frames(data, frame, source);
}
}  // namespace

const SourceFrame* DicomSource::frame_of_slice(const media::Grid& grid, int64_t k) const {
  if (!grid.placed) {
    return k < static_cast<int64_t>(frames.size()) ? &frames[static_cast<size_t>(k)] : nullptr;
  }
  for (const SourceFrame& frame : frames) {
    if (!frame.position) continue;
    const media::Vector3 at = grid.index_of(*frame.position);
    const double off = std::abs(at[2] - static_cast<double>(k));
    if (std::hypot(at[0], at[1]) < 0.5 && off < 0.1) return &frame;
  }
  return nullptr;
}

DicomSource read_dicom_source(const std::vector<fs::path>& files) {
  DicomSource source;
  for (const fs::path& path : files) add_file(path, source);
  if (source.frames.empty()) {
    fail(ErrorCode::kUsage, "no DICOM images were given to make an object from");
  }
  return source;
}

}  // namespace vesalius::results
