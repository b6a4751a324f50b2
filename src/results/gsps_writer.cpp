#include "results/gsps_writer.h"

#include "base/error.h"
#include "media/cielab.h"
#include "media/dicom_items.h"
#include "media/dicom_stream.h"
#include "results/film_region.h"
#include "results/overlay.h"
#include "results/report_forms.h"

namespace vesalius::results {
namespace {

using tasks::Report;
using tasks::ReportSentence;

constexpr const char* kGsps = "1.2.840.10008.5.1.4.1.1.11.1";
constexpr size_t kLongestText = 1024;  // ST

std::string layer_name(size_t number) { return fmt::format("FINDING {}", number + 1); }

void put_identification(DcmDataset& data, const DicomSource& source, const Algorithm& algorithm) {
  OFString date, time;
  DcmDate::getCurrentDate(date);
  DcmTime::getCurrentTime(time);
  put(data, DCM_PresentationCreationDate, date);
  put(data, DCM_PresentationCreationTime, time);
  put(data, DCM_ContentLabel, "AI_FINDINGS");
  put(data, DCM_ContentDescription, kReportSeries);
  put(data, DCM_ContentCreatorName, clean_text("Vesalius^" + algorithm.name, 64, source));
  DcmItem& series = add_item(data, DCM_ReferencedSeriesSequence);
  put(series, DCM_SeriesInstanceUID, source.series_uid);
  put_reference(add_item(series, DCM_ReferencedImageSequence), source.frames.front());
}

void put_displayed_area(DcmDataset& data, const media::DicomInfo& info) {
  DcmItem& area = add_item(data, DCM_DisplayedAreaSelectionSequence);
  put(area, DCM_PresentationSizeMode, "SCALE TO FIT");
  put(area, DCM_DisplayedAreaTopLeftHandCorner, "1\\1");
  put(area, DCM_DisplayedAreaBottomRightHandCorner, fmt::format("{}\\{}", info.columns, info.rows));
  if (info.pixel_spacing.size() == 2)
    put(area, DCM_PresentationPixelSpacing, decimals(info.pixel_spacing));
  else
    put(area, DCM_PresentationPixelAspectRatio, "1\\1");
}

/// How the film's own header has it shown.
void put_greys(DcmDataset& data, const Report& report) {
  const auto file = MappedFile::open(report.frontal.path);
  const media::ParsedDicom film =
      media::parse_dicom(file->bytes(), report.frontal.path, media::Extent::kHeader);
  DcmItem& from = film.data();
  for (const DcmTagKey& tag :
       {DCM_RescaleIntercept, DCM_RescaleSlope, DCM_RescaleType, DCM_ModalityLUTSequence}) {
    if (from.tagExistsWithValue(tag)) from.findAndInsertCopyOfElement(tag, &data);
  }
  if (data.tagExists(DCM_RescaleSlope) && !data.tagExists(DCM_RescaleType))
    put(data, DCM_RescaleType, "US");
  if (from.tagExistsWithValue(DCM_WindowCenter) || from.tagExistsWithValue(DCM_VOILUTSequence)) {
    DcmItem& window = add_item(data, DCM_SoftcopyVOILUTSequence);
    for (const DcmTagKey& tag :
         {DCM_WindowCenter, DCM_WindowWidth, DCM_WindowCenterWidthExplanation, DCM_VOILUTFunction,
          DCM_VOILUTSequence}) {
      if (from.tagExistsWithValue(tag)) from.findAndInsertCopyOfElement(tag, &window);
    }
  }
  const bool inverse = media::text_of(from, DCM_PhotometricInterpretation) == "MONOCHROME1";
  put(data, DCM_PresentationLUTShape, inverse ? "INVERSE" : "IDENTITY");
}

void put_floats(DcmItem& item, const DcmTagKey& tag, const std::vector<float>& values) {
  const OFCondition done =
      item.putAndInsertFloat32Array(tag, values.data(), static_cast<unsigned long>(values.size()));
  if (done.bad()) fail(ErrorCode::kFailed, "points cannot be put into an object ({})", done.text());
}

void put_polyline(DcmItem& annotation, const std::vector<float>& points) {
  DcmItem& drawn = add_item(annotation, DCM_GraphicObjectSequence);
  put(drawn, DCM_GraphicAnnotationUnits, "PIXEL");
  put(drawn, DCM_GraphicDimensions, 2);
  put(drawn, DCM_NumberOfGraphicPoints, static_cast<int>(points.size() / 2));
  put_floats(drawn, DCM_GraphicData, points);
  put(drawn, DCM_GraphicType, "POLYLINE");
  put(drawn, DCM_GraphicFilled, "N");
}

void put_caption(DcmItem& annotation, const std::string& text, const std::vector<float>& points) {
  DcmItem& caption = add_item(annotation, DCM_TextObjectSequence);
  put(caption, DCM_UnformattedTextValue, text);
  put(caption, DCM_AnchorPointAnnotationUnits, "PIXEL");
  put_floats(caption, DCM_AnchorPoint, {points[0], points[1]});
  put(caption, DCM_AnchorPointVisibility, "N");
}

void put_layer(DcmDataset& data, size_t number, int order) {
  DcmItem& layer = add_item(data, DCM_GraphicLayerSequence);
  put(layer, DCM_GraphicLayer, layer_name(number));
  put(layer, DCM_GraphicLayerOrder, order);
  const std::array<uint16_t, 3> lab = media::cielab_of(overlay_colour(number));
  layer.putAndInsertUint16Array(DCM_GraphicLayerRecommendedDisplayCIELabValue, lab.data(), 3);
}

void put_finding(DcmDataset& data, const Report& report, size_t number, const DicomSource& source) {
  const ReportSentence& sentence = report.sentences[number];
  DcmItem& annotation = add_item(data, DCM_GraphicAnnotationSequence);
  put_reference(add_item(annotation, DCM_ReferencedImageSequence), source.frames.front());
  put(annotation, DCM_GraphicLayer, layer_name(number));
  const std::string text = fmt::format("{} {} [{}]", number + 1, sentence.text, kDraft);
  for (const text::Box& box : sentence.boxes) {
    const std::vector<float> points = polyline_of(box, size_of(report.frontal));
    put_caption(annotation, clean_text(text, kLongestText, source), points);
    put_polyline(annotation, points);
  }
}

bool reads_back(Bytes bytes, const fs::path& path, const std::vector<std::vector<float>>& regions) {
  const media::ParsedDicom parsed = media::parse_dicom(bytes, path.string());
  std::vector<std::vector<float>> read;
  for (DcmItem* annotation : media::items_of(parsed.data(), DCM_GraphicAnnotationSequence)) {
    for (DcmItem* drawn : media::items_of(*annotation, DCM_GraphicObjectSequence)) {
      const Float32* values = nullptr;
      unsigned long count = 0;
      if (drawn->findAndGetFloat32Array(DCM_GraphicData, values, &count).bad()) return false;
      read.emplace_back(values, values + count);
    }
  }
  return read == regions;
}
}  // namespace

void write_gsps(const fs::path& path, const Report& report, const Algorithm& algorithm) {
  const DicomSource source = film_source(report.frontal, "gsps");
  if (report.frontal.dicom->samples != 1) {
    fail(ErrorCode::kUnsupported,
         "{}: is in colour, and a grayscale presentation state cannot show it; choose sr or png",
         report.frontal.path);
  }
  DcmFileFormat file;
  DcmDataset& data = *file.getDataset();
  begin_draft(data, source, kGsps, "PR", source.series_number * 100 + 5);
  put(data, DCM_BodyPartExamined, "CHEST");  // which has no laterality
  put_identification(data, source, algorithm);
  put_displayed_area(data, *report.frontal.dicom);
  put_greys(data, report);
  int order = 0;
  for (size_t i = 0; i < report.sentences.size(); ++i) {
    if (report.sentences[i].boxes.empty()) continue;
    put_layer(data, i, ++order);
    put_finding(data, report, i, source);
  }
  write_object(
      file, EXS_LittleEndianExplicit, path,
      [&](Bytes bytes) { return reads_back(bytes, path, polylines_of(report)); },
      "the boxes that were written are not those of the draft");
}

}  // namespace vesalius::results
