// vesalius evaluate segment: masks against truth, with 95 % intervals by target.
#include "tasks/evaluate_segment.h"

#include "base/progress.h"
#include "base/version.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "results/json_line.h"

namespace vesalius::cli {
namespace {

struct Options {
  std::vector<std::string> folders;  // predictions, truth
  std::string pairs, labels, spacing;
  bool objects = false;
  tasks::MaskMetricOptions metrics;
};

tasks::SegmentEvaluation evaluation_of(const Options& options) {
  tasks::SegmentEvaluation evaluation{.metrics = options.metrics};
  if (options.objects) evaluation.values = tasks::MaskValues::kObjects;
  if (!options.labels.empty()) {
    evaluation.values = tasks::MaskValues::kLabels;
    if (options.labels != "all") evaluation.labels = tasks::parse_target_labels(options.labels);
  }
  if (!options.spacing.empty()) evaluation.spacing = tasks::parse_spacing(options.spacing);
  return evaluation;
}

std::vector<tasks::MaskPair> pairs_of(const Session& session, const Options& options) {
  if (options.pairs.empty() == options.folders.empty())
    fail(ErrorCode::kUsage,
         "name a folder of predictions and one of truth, or a CSV with both: --pairs FILE.");
  if (!options.pairs.empty()) return tasks::read_mask_pairs(options.pairs);
  auto paired = tasks::pair_folders(options.folders.at(0), options.folders.at(1));
  if (paired.without_truth > 0)
    remark(session,
           fmt::format("{} predictions have no truth and are left out.", paired.without_truth));
  return std::move(paired.pairs);
}

/// What became of the pairs.
struct Outcome {
  std::vector<tasks::SegmentCase> cases;
  int64_t done = 0, failed = 0;
};

/// A pair that cannot be compared is told of and left out, unless none can.
Outcome evaluate_all(const Session& session, const std::vector<tasks::MaskPair>& pairs,
                     const tasks::SegmentEvaluation& evaluation) {
  Outcome outcome;
  Progress progress("Comparing", static_cast<int64_t>(pairs.size()), session.common.quiet);
  for (size_t i = 0; i < pairs.size() && !stop_requested(); ++i) {
    try {
      for (auto& one : tasks::evaluate_pair(pairs[i], i, evaluation))
        outcome.cases.push_back(std::move(one));
      ++outcome.done;
    } catch (const Error& error) {
      if (outcome.done == 0 && i + 1 == pairs.size()) throw;
      warn(error.what());
      ++outcome.failed;
    }
    progress.advance();
  }
  return outcome;
}

/// One line a figure: name, value, interval.
void show_figures(const Json& report) {
  for (const auto& [name, value] : report.items())
    if (value.is_object() && value.contains("low"))
      print(fmt::format("  {:<24} {:.3f}  ({:.3f} – {:.3f})", name, value["value"].get<double>(),
                        value["low"].get<double>(), value["high"].get<double>()));
}

void show(const Json& report) {
  for (const auto& target : report["targets"]) {
    print(fmt::format("{}: {} pairs, {} with the target, {} missed, {} invented",
                      target["target"].get<std::string>(), target["pairs"].get<int64_t>(),
                      target["present"].get<int64_t>(), target["missed"].get<int64_t>(),
                      target["invented"].get<int64_t>()));
    show_figures(target);
  }
  if (!report.contains("all_targets")) return;
  print("all targets: mean of their means");
  show_figures(report["all_targets"]);
}

int run_segment(Session& session, const Options& options) {
  const auto evaluation = evaluation_of(options);
  const auto pairs = pairs_of(session, options);
  const Outcome outcome = evaluate_all(session, pairs, evaluation);
  const Json report = tasks::segment_report(outcome.cases, evaluation, session.common.seed);
  Json head = {{"task", "segment"}};
  head.update(report);
  JsonSink sink(session);
  sink.line(results::json_line(head, {{"version", version()}, {"research_use_only", true}}));
  sink.finish();
  session.report["figures"] = report;
  session.report["inputs"] = {{"done", outcome.done}, {"failed", outcome.failed}};
  if (!session.common.json) show(report);
  if (report["unit"] != "mm")
    remark(session, "Distances are in pixels where a file tells no spacing; --spacing gives one.");
  if (outcome.failed > 0) warn(fmt::format("{} of {} pairs failed.", outcome.failed, pairs.size()));
  return outcome.failed > 0 ? static_cast<int>(ErrorCode::kSomeFailed) : 0;
}

void add_options(CLI::App& command, Options& options) {
  command
      .add_option("FOLDERS", options.folders,
                  "Predictions, then truth: folders with files of the same names")
      ->expected(2);
  command.add_option("--pairs", options.pairs,
                     "CSV with the columns prediction, truth and, if wanted, target, spacing");
  auto* labels = command.add_option(
      "--labels", options.labels,
      "Targets by value, 1=liver,2=spleen, or `all`; without it anything but 0 is the target");
  command.add_flag("--objects", options.objects, "Each value is an object of one target")
      ->excludes(labels);
  command.add_option("--spacing", options.spacing,
                     "Of columns, rows and slices in mm, 0.7x0.7x3, in place of the files'");
  command.add_option("--tolerance", options.metrics.tolerance, "Of the surface Dice, mm")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command
      .add_option("--instance-iou", options.metrics.instance_iou, "From which an object is found")
      ->capture_default_str()
      ->check(CLI::Range(0.5, 1.0));
}

void add_evaluate_segment(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* command = add_command(
      *app.get_subcommand("evaluate"), session,
      {"segment",
       "Masks against truth: Dice, IoU, surface Dice, Hausdorff and mean distance, objects' F1",
       {"vesalius evaluate segment predictions/ truth/ --labels 1=liver,2=spleen",
        "vesalius evaluate segment --pairs masks.csv --tolerance 1 --json"}},
      [&session, options] { return run_segment(session, *options); });
  add_options(*command, *options);
}

const Registration kEvaluateSegment{33, add_evaluate_segment};  // behind `evaluate`

}  // namespace
}  // namespace vesalius::cli
