// Films with their reports, as training material: the rows of a manifest.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "text/grounded_text.h"
#include "text/report_prompt.h"

namespace vesalius::tasks {

/// One row. Without a frontal film it is text alone: language to learn.
struct ReportRow {
  std::string frontal, lateral, prior;  // files, or empty
  text::ReportContext context;
  bool grounded = false;
  std::vector<text::GroundedSentence> sentences;  // of a grounded report; boxes of the whole film
  std::string findings;                           // of a plain one
  double weight = 1;                              // how often it is drawn

  /// Which prompt it answers.
  text::ReportTask task() const;
};

/// A CSV or JSON Lines with the columns `frontal` and `findings`, and, where wanted, `lateral`,
/// `prior`, `indication`, `technique`, `comparison`, `prior_report`, `phrase`, `weight`. `findings`
/// is plain text, or the list that CXRReportGen's endpoint gives: [["sentence", [[x0, y0, x1, y1],
/// …] or null], …], boxes 0 to 1 of the whole film. With `phrase` the row teaches where that is,
/// and `findings` are such a list of one. Error kUnsupported names the row at fault.
std::vector<ReportRow> read_report_rows(const fs::path& manifest);

/// The same without findings: studies that are to get a report. What a row lacks is told when its
/// turn comes, so that one bad row does not stop the others.
std::vector<ReportRow> read_study_rows(const fs::path& manifest);

}  // namespace vesalius::tasks
