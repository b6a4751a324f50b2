#include "results/sr_writer.h"

#include <dcmtk/dcmsr/dsrdoc.h>

#include <algorithm>

#include "base/error.h"
#include "media/dicom_stream.h"
#include "results/film_region.h"
#include "results/report_forms.h"
#include "results/sr_items.h"

namespace vesalius::results {
namespace {

using media::Code;
using tasks::FindingLabel;
using tasks::Report;
using tasks::ReportSentence;

const Code kFinding{"121071", "DCM", "Finding"};
const Code kProcedure{"121065", "DCM", "Procedure Description"};
const Code kComment{"121106", "DCM", "Comment"};
constexpr const char* kRuleAssigned =
    "Codes and their presence were assigned by rules from the words of the sentence, not by the "
    "model.";

void put_evidence(DcmDataset& data, const DicomSource& source) {
  DcmItem& study = add_item(data, DCM_CurrentRequestedProcedureEvidenceSequence);
  put(study, DCM_StudyInstanceUID, source.study_uid);
  DcmItem& series = add_item(study, DCM_ReferencedSeriesSequence);
  put(series, DCM_SeriesInstanceUID, source.series_uid);
  SourceFrame image = source.frames.front();
  image.frame = 0;
  put_reference(add_item(series, DCM_ReferencedSOPSequence), image);
}

void begin_report(DcmDataset& data, const DicomSource& source, const char* sop_class, int series) {
  begin_draft(data, source, sop_class, "SR", source.series_number * 100 + series);
  OFString date, time;
  DcmDate::getCurrentDate(date);
  DcmTime::getCurrentTime(time);
  put(data, DCM_ContentDate, date);
  put(data, DCM_ContentTime, time);
  put(data, DCM_CompletionFlag, "PARTIAL");
  put(data, DCM_CompletionFlagDescription, kDraft);
  put(data, DCM_VerificationFlag, "UNVERIFIED");
  put(data, DCM_PreliminaryFlag, "PRELIMINARY");
  data.insertEmptyElement(DCM_ReferencedPerformedProcedureStepSequence);
  data.insertEmptyElement(DCM_PerformedProcedureCodeSequence);
  put_evidence(data, source);
}

Code presence_of(const FindingLabel& label) {
  if (label.polarity == "present") return {"52101004", "SCT", "Present"};
  if (label.polarity == "absent") return {"272519000", "SCT", "Absent"};
  return {"373068000", "SCT", "Undetermined"};
}

/// The code of what the sentence finds: present before uncertain; what is absent is no finding.
const Code* finding_of(const ReportSentence& sentence, const FindingCodes& codes) {
  for (const char* polarity : {"present", "uncertain"}) {
    for (const FindingLabel& label : sentence.labels) {
      const auto code = codes.find(label.name);
      if (label.polarity == polarity && code != codes.end()) return &code->second;
    }
  }
  return nullptr;
}

void put_labels(ContentItem& group, const ReportSentence& sentence, const FindingCodes& codes) {
  for (const FindingLabel& label : sentence.labels) {
    const auto code = codes.find(label.name);
    if (code == codes.end())
      group.text(kContains, kComment, label.name + ": " + label.polarity);
    else
      group.code(kContains, code->second, presence_of(label));
  }
  if (!sentence.labels.empty()) group.text(kContains, kComment, kRuleAssigned);
}

void put_group(ContentItem& measurements, const Report& report, size_t number,
               const DicomSource& source, const Algorithm& algorithm, const FindingCodes& codes) {
  const ReportSentence& sentence = report.sentences[number];
  ContentItem group = measurements.container({"125007", "DCM", "Measurement Group"},
                                             sentence.boxes.size() == 1 ? "1410" : "1501");
  group.text(kContext, {"112039", "DCM", "Tracking Identifier"},
             fmt::format("Finding {}", number + 1));
  group.uid(kContext, {"112040", "DCM", "Tracking Unique Identifier"}, new_uid());
  put_algorithm(group, algorithm);
  if (const Code* finding = finding_of(sentence, codes)) group.code(kContains, kFinding, *finding);
  for (const text::Box& box : sentence.boxes)
    group.region(polyline_of(box, size_of(report.frontal)), source.frames.front());
  group.text(kContains, kFinding, words_or_none(sentence));
  put_labels(group, sentence, codes);
}

std::vector<float> points_of(DSRContentItem& item) {
  std::vector<float> out;
  DSRGraphicDataList& list = item.getSpatialCoordinatesPtr()->getGraphicDataList();
  for (size_t i = 1; i <= list.getNumberOfItems(); ++i) {
    const DSRGraphicDataItem point = list.getItem(i);
    out.insert(out.end(), {point.Column, point.Row});
  }
  return out;
}

/// Regions and texts, as DCMTK's reader of reports finds them.
bool reads_back(Bytes bytes, const fs::path& path, const std::vector<std::vector<float>>& regions,
                size_t findings) {
  const media::ParsedDicom parsed = media::parse_dicom(bytes, path.string());
  DSRDocument document;
  if (document.read(parsed.data()).bad()) return false;
  DSRDocumentTree& tree = document.getTree();
  std::vector<std::vector<float>> read;
  size_t texts = 0;
  for (size_t at = tree.gotoRoot(); at != 0; at = tree.iterate()) {
    DSRContentItem& item = tree.getCurrentContentItem();
    if (item.getValueType() == DSRTypes::VT_SCoord) read.push_back(points_of(item));
    texts += item.getValueType() == DSRTypes::VT_Text &&
             item.getConceptName().getCodeValue() == "121071";
  }
  return read == regions && texts == findings;
}

void write_report(const fs::path& path, DcmFileFormat& file, const Report& report,
                  const std::vector<std::vector<float>>& regions) {
  write_object(
      file, EXS_LittleEndianExplicit, path,
      [&](Bytes bytes) { return reads_back(bytes, path, regions, report.sentences.size()); },
      "the structured report that was written does not say what the draft says");
}

/// A heading with one text, where something was given.
void put_section(ContentItem& root, const Code& heading, const Code& name,
                 const std::string& text) {
  if (!text.empty()) root.container(heading).text(kContains, name, text);
}
}  // namespace

void write_measurement_sr(const fs::path& path, const Report& report, const Algorithm& algorithm,
                          const FindingCodes& codes) {
  const DicomSource source = film_source(report.frontal, "sr");
  DcmFileFormat file;
  DcmDataset& data = *file.getDataset();
  begin_report(data, source, UID_ComprehensiveSRStorage, 3);
  ContentItem root(data, source, {"126000", "DCM", "Imaging Measurement Report"}, "1500");
  put_observer(root, algorithm);
  root.code(kModifier, {"121058", "DCM", "Procedure reported"},
            {"399208008", "SCT", "Plain chest X-ray"});
  ContentItem measurements = root.container({"126010", "DCM", "Imaging Measurements"});
  for (size_t i = 0; i < report.sentences.size(); ++i)
    put_group(measurements, report, i, source, algorithm, codes);
  write_report(path, file, report, polylines_of(report));
}

void write_narrative_sr(const fs::path& path, const Report& report, const Algorithm& algorithm) {
  const DicomSource source = film_source(report.frontal, "sr");
  DcmFileFormat file;
  DcmDataset& data = *file.getDataset();
  begin_report(data, source, UID_BasicTextSRStorage, 4);
  ContentItem root(data, source, {"18748-4", "LN", "Diagnostic Imaging Report"}, "2000");
  put_observer(root, algorithm);
  put_section(root, {"18785-6", "LN", "Indications for Procedure"},
              {"55108-5", "LN", "Patient Presentation"}, report.context.indication);
  put_section(root, {"55111-9", "LN", "Current Procedure Descriptions"}, kProcedure,
              report.context.technique);
  put_section(root, {"55114-3", "LN", "Prior Procedure Descriptions"}, kProcedure,
              report.context.comparison);
  ContentItem findings = root.container({"59776-5", "LN", "Findings"});
  for (const ReportSentence& sentence : report.sentences)
    findings.text(kContains, kFinding, words_or_none(sentence));
  root.container({"55112-7", "LN", "Summary"}).text(kContains, kComment, kDraft);
  write_report(path, file, report, {});
}

}  // namespace vesalius::results
