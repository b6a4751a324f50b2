// The arithmetic of RadFact and RadCliQ on what judges and other models have answered; the answers
// themselves come from elsewhere.
#pragma once

#include <optional>
#include <vector>

#include "text/grounded_text.h"

namespace vesalius::tasks {

/// What a judge said of one sentence of a report, given the whole other report.
struct JudgedSentence {
  bool entailed = false;            // no answer counts as false
  std::vector<text::Box> boxes;     // of the sentence
  std::vector<text::Box> evidence;  // of the sentences that entail it
};

/// Shares of one report's sentences, 0 to 1; nothing for a share of none. A boxed sentence is
/// spatially entailed when it is entailed and more than half of its boxes' cells (box_metrics.h)
/// lie in the evidence's boxes.
struct RadFactShares {
  std::optional<double> logical;    // entailed / all
  std::optional<double> spatial;    // spatially entailed / boxed
  std::optional<double> grounding;  // spatially entailed / entailed and boxed
};

/// RadFact (arXiv 2406.04449) of one report: precisions from the candidate's sentences, recalls
/// from the reference's. A corpus's figure is the mean of the shares that there are.
RadFactShares radfact_shares(const std::vector<JudgedSentence>& sentences);

/// 2PR / (P + R), 0 where both are 0.
double f1_of(double precision, double recall);

/// What RadCliQ weighs of one report.
struct RadCliqInput {
  double radgraph = 0;   // mean of RadGraph's entity and relation F1
  double bertscore = 0;  // F1, distilroberta-base, rescaled
  double chexbert = 0;   // cosine of CheXbert's embeddings
  double bleu_2 = 0;     // of the report by itself
};

/// RadCliQ (Yu et al., Patterns 2023), lower is better; coefficients of github
/// rajpurkarlab/CXR-Report-Metric to five digits. Version 1 leaves BLEU out but for 1e-11.
double radcliq_v0(const RadCliqInput& input);
double radcliq_v1(const RadCliqInput& input);

}  // namespace vesalius::tasks
