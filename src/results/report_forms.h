// A report as JSON for programs and as text for people.
#pragma once

#include <string>

#include "base/json.h"
#include "tasks/report.h"

namespace vesalius::results {

/// Stands on every form of a report.
inline constexpr const char* kDraft = "Research use only. Draft, not verified.";

/// What the sentence says, or that it says nothing, for forms that take no empty text.
std::string words_or_none(const tasks::ReportSentence& sentence);

/// {input, task, findings: [{text, boxes: [[x0, y0, x1, y1], …] of the whole film, 0 to 1,
/// square_boxes of its centre square, labels, mean_log_probability, …}], warnings, diagnostics,
/// prompt, raw_text, output_ids, complete, the frontal film's DICOM UIDs, provenance…}. What was
/// not worked out is left out.
Json report_json(const tasks::Report& report, const Json& provenance);

/// Numbered sentences, `*` before those with boxes, and what a reader should look at twice.
std::string report_text(const tasks::Report& report);

}  // namespace vesalius::results
