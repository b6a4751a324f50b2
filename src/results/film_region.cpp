#include "results/film_region.h"

#include "base/error.h"

namespace vesalius::results {

FilmSize size_of(const tasks::Film& film) {
  if (film.dicom) return {film.dicom->columns, film.dicom->rows};
  return {film.shown.width, film.shown.height};
}

std::vector<float> polyline_of(const text::Box& box, const FilmSize& size) {
  const auto x0 = static_cast<float>(box.x0 * size.columns);
  const auto x1 = static_cast<float>(box.x1 * size.columns);
  const auto y0 = static_cast<float>(box.y0 * size.rows);
  const auto y1 = static_cast<float>(box.y1 * size.rows);
  return {x0, y0, x1, y0, x1, y1, x0, y1, x0, y0};
}

std::vector<std::vector<float>> polylines_of(const tasks::Report& report) {
  const FilmSize size = size_of(report.frontal);
  std::vector<std::vector<float>> out;
  for (const tasks::ReportSentence& sentence : report.sentences) {
    for (const text::Box& box : sentence.boxes) out.push_back(polyline_of(box, size));
  }
  return out;
}

DicomSource film_source(const tasks::Film& film, std::string_view format) {
  if (!film.dicom) {
    fail(ErrorCode::kUnsupported,
         "{}: is not DICOM, and a DICOM object needs a patient, a study and an image to belong to. "
         "Leave out the format {}, or give the DICOM file of the film.",
         film.path, format);
  }
  return read_dicom_source({film.path});
}

void begin_draft(DcmDataset& data, const DicomSource& source, const char* sop_class,
                 const char* modality, int series_number) {
  begin_object(data, source, sop_class, modality, series_number);
  for (const DcmTagKey& tag :
       {DCM_LossyImageCompression, DCM_LossyImageCompressionRatio, DCM_LossyImageCompressionMethod})
    data.findAndDeleteElement(tag);
  put(data, DCM_SeriesDescription, kReportSeries);
}

}  // namespace vesalius::results
