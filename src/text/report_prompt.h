// The words that CXRReportGen and MAIRA-2 are asked with (sheet: processing_maira2.py of
// microsoft/maira-2), and which of them are the user's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace vesalius::text {

enum class ReportTask { kFindings, kGroundedFindings, kPhrase };
/// "findings", "grounded", "phrase". Error kUsage for another word.
ReportTask parse_report_task(std::string_view word);
std::string_view name_of(ReportTask task);

/// What the clinician wrote. Empty: N/A.
struct ReportContext {
  bool lateral = false, prior = false;  // further images beside the frontal one
  std::string indication, technique, comparison;
  std::string prior_report;  // left out without a prior image, as in the reference
  std::string phrase;        // of ReportTask::kPhrase
};

/// The strings of a package; a card may have others than MAIRA-2's (docs/reports.md). The prompt is
/// system, user, images, task, turn_end, assistant, one behind the other. In all of them {image},
/// {indication}, {technique}, {comparison}, {prior_report} and {phrase} stand for what they say.
struct ReportWording {
  std::string system, user, assistant, turn_end;  // the chat template's pieces
  std::string image = "<image>";
  std::string frontal_only, frontal, lateral, lateral_before_prior, prior;
  std::string findings, grounded, phrase, absent = "N/A";
  static ReportWording maira2();
};

struct ReportPrompt {
  std::string text;         // begin of text is not in it; each image is one token
  std::vector<Span> users;  // the user's words in it
};

/// The images come in the order frontal, lateral, prior; a phrase is looked for in the frontal one
/// alone. Nothing of the user's is trimmed or escaped: see EncodeOptions::plain.
ReportPrompt report_prompt(ReportTask task, const ReportContext& context,
                           const ReportWording& wording = ReportWording::maira2());

}  // namespace vesalius::text
