// A manifest with truth in it, and its vectors, for `evaluate`.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "cli/model_run.h"
#include "tasks/zero_shot.h"

namespace vesalius::cli {

struct EvaluateInput {
  InputOptions input;
  std::string label_column = "label", text_column = "text";
};
void add_evaluate_input(CLI::App& command, EvaluateInput& input);

/// Sources with their truth. After embed_samples() only those that have a vector remain.
struct Samples {
  std::vector<tasks::Source> sources;
  std::vector<std::string> labels;  // classes, sorted; empty when the manifest has no such column
  std::vector<int> truth;
  std::vector<std::string> texts;  // empty when there is no text column
  at::Tensor features;             // [n, d]
};

/// Error kUsage without manifest; kUnsupported when neither column is there, or is empty in some
/// row.
Samples read_samples(const EvaluateInput& input);
/// Truth as indices into `labels`, in their order. Error kUsage naming a value that is none of
/// them.
void relabel(Samples& samples, const std::vector<std::string>& labels, const EvaluateInput& input);
tasks::Tally embed_samples(Session& session, const ModelRun& run, const EvaluateInput& input,
                           Samples& samples);
/// Scores of one group, in the order of `labels`.
std::vector<double> scores_in_order(const std::vector<tasks::GroupScores>& scores,
                                    const std::vector<std::string>& labels);

}  // namespace vesalius::cli
