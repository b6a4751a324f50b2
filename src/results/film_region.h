// Where the boxes of a report lie in the pixels of its film.
#pragma once

#include <string_view>
#include <vector>

#include "results/dicom_object.h"
#include "results/dicom_source.h"
#include "tasks/report.h"

namespace vesalius::results {

/// Columns and rows of the film as it is stored.
struct FilmSize {
  int columns = 0, rows = 0;
};
FilmSize size_of(const tasks::Film& film);

/// The box as a closed polyline x, y, x, y, …, five points, clockwise from the upper left. Units
/// are pixels, (0, 0) is the upper left corner of the first one (PS3.3 C.10.5.1.2, C.18.6.1).
std::vector<float> polyline_of(const text::Box& box, const FilmSize& size);

/// All boxes of a report, sentence by sentence.
std::vector<std::vector<float>> polylines_of(const tasks::Report& report);

/// Whose film it is. Error kUnsupported, naming `format`, where it is not DICOM.
DicomSource film_source(const tasks::Film& film, std::string_view format);

/// What stands on the series of a DICOM object made from a report (LO: 64 characters).
inline constexpr const char* kReportSeries =
    "AI report draft. Research use only, not for diagnosis.";

/// begin_object for such an object, which is no image.
void begin_draft(DcmDataset& data, const DicomSource& source, const char* sop_class,
                 const char* modality, int series_number);

}  // namespace vesalius::results
