// Evaluation of reports: candidates against references, as figures with 95 % intervals.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "tasks/radiology_scores.h"

namespace vesalius::tasks {

/// One text of a row. Of grounded text (<obj>…) the words and boxes are taken apart.
struct ReportText {
  std::string words;
  std::optional<std::vector<text::Box>> boxes;  // nothing: not told; all of the report's together
  // What judges and other models said of a system's text: of its sentences given the reference, of
  // the reference's given it, and RadCliQ's numbers.
  std::optional<std::vector<JudgedSentence>> judged, reference_judged;
  std::optional<RadCliqInput> radcliq;
};

/// One row of a manifest.
struct ReportPair {
  ReportText candidate, reference;
  std::optional<ReportText> other;  // of a second system
};

/// A CSV or JSON Lines with the columns `candidate` and `reference` and, where wanted, `other`;
/// `candidate_boxes`, `reference_boxes`, `other_boxes`: [[x0, y0, x1, y1], …], 0 to 1, in place of
/// those in the texts; `candidate_judged` and `reference_judged`: a judge's answers by sentence,
/// [{"entailed": true, "boxes": […], "evidence": […]}, …]; `radgraph`, `bertscore`, `chexbert` and
/// `bleu_2`: numbers for RadCliQ; of the other system `other_judged`, `other_reference_judged`,
/// `other_radgraph` and so on. In a CSV lists are JSON in a field. Error kUnsupported names the
/// row at fault: values of another type, an empty reference, text beyond 64 KiB, `other` in some
/// rows but not in all. A candidate may be empty: a model wrote nothing.
std::vector<ReportPair> read_report_pairs(const fs::path& manifest);

struct ReportEvaluation {
  bool uncertain_is_positive = false;  // of labels; otherwise it counts as negative
};

/// {"rows", "empty_candidates", "uncertain", figures…, "labels": [{"label", "reference",
/// "candidate", "f1"}…], "other": {figure: {"value", "low", "high", "difference", "p_value"}}}.
/// Figures: bleu_1 … bleu_4 of the corpus; rouge_l, rouge_l_stemmed, cider_d, means over rows;
/// label_micro_f1, label_macro_f1 over the 14 of finding_labels.h and label_micro_f1_5,
/// label_macro_f1_5 over five of them (macro counts a label that nobody names as 0, as sklearn
/// does). Where there are columns for them: box_iou, box_precision, box_recall, means over the rows
/// that have them (rows whose reference tells its boxes; a candidate without is one with none, if
/// other candidates have some); radfact_{logical,spatial,grounding}_{precision,recall,f1};
/// radcliq_v0, radcliq_v1. Each {"value", "low", "high"}, or null where no row gives one. In the
/// bootstrap CIDEr-D's rarities stay those of all references. `difference` is candidate less other.
Json report_figures(const std::vector<ReportPair>& pairs, const ReportEvaluation& evaluation,
                    uint64_t seed);

}  // namespace vesalius::tasks
