// vesalius evaluate report: reports against references, with 95 % intervals.
#include "tasks/evaluate_report.h"

#include "base/version.h"
#include "cli/command.h"
#include "cli/output.h"
#include "results/json_line.h"

namespace vesalius::cli {
namespace {

struct Options {
  std::string manifest, uncertain = "negative";
};

/// A figure with its interval, "–" where there is none.
std::string shown(const Json& figure) {
  if (figure.is_null()) return "–";
  return fmt::format("{:.4f} ({:.4f} – {:.4f})", figure["value"].get<double>(),
                     figure["low"].get<double>(), figure["high"].get<double>());
}

/// One line a figure; with a second system its figure and how sure the difference is.
void show_figures(const Json& report) {
  const Json others = report.value("other", Json::object());
  if (!others.empty())
    print(fmt::format("{:<30} {:<26} {:<26} difference  p", "", "candidate", "other"));
  for (const auto& [name, value] : report.items()) {
    const bool figure = value.is_null() || (value.is_object() && value.contains("low"));
    if (!figure) continue;
    std::string line = fmt::format("{:<30} {}", name, shown(value));
    if (others.contains(name)) {
      const Json& other = others[name];
      line = fmt::format("{:<57} {:<26}", line, shown(other));
      if (other.contains("p_value"))
        line += fmt::format(" {:+10.4f}  {:.4f}", other["difference"].get<double>(),
                            other["p_value"].get<double>());
    }
    print(line);
  }
}

void show_labels(const Json& labels) {
  print(fmt::format("\n{:<30} reference  candidate  F1", "label"));
  for (const auto& one : labels)
    print(fmt::format("{:<30} {:>9}  {:>9}  {}", one["label"].get<std::string>(),
                      one["reference"].get<int64_t>(), one["candidate"].get<int64_t>(),
                      one["f1"].is_null() ? "–" : fmt::format("{:.3f}", one["f1"].get<double>())));
}

int run_report(Session& session, const Options& options) {
  const auto pairs = tasks::read_report_pairs(options.manifest);
  const Json report =
      tasks::report_figures(pairs, {options.uncertain == "positive"}, session.common.seed);
  Json head = {{"task", "report"}};
  head.update(report);
  JsonSink sink(session);
  sink.line(results::json_line(head, {{"version", version()}, {"research_use_only", true}}));
  sink.finish();
  session.report["figures"] = report;
  if (!session.common.json) {
    print(fmt::format("{} reports", pairs.size()));
    show_figures(report);
    show_labels(report["labels"]);
  }
  if (const auto empty = report["empty_candidates"].get<int64_t>(); empty > 0)
    remark(session, fmt::format("{} candidates are empty and count as such.", empty));
  remark(session,
         "Labels are assigned by our own rules, not by CheXbert: compare them with each "
         "other alone.");
  return 0;
}

void add_evaluate_report(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* command = add_command(
      *app.get_subcommand("evaluate"), session,
      {"report",
       "Reports against references: BLEU, ROUGE-L, CIDEr-D, boxes, labels, RadFact, RadCliQ",
       {"vesalius evaluate report --manifest reports.jsonl --json",
        "vesalius evaluate report --manifest two-systems.csv --uncertain positive"}},
      [&session, options] { return run_report(session, *options); });
  command
      ->add_option("--manifest", options->manifest,
                   "CSV or JSON Lines with candidate, reference and, if wanted, other and boxes")
      ->required();
  command->add_option("--uncertain", options->uncertain, "What an uncertain label counts as")
      ->capture_default_str()
      ->check(CLI::IsMember({"negative", "positive"}));
}

const Registration kEvaluateReport{34, add_evaluate_report};  // behind `evaluate`

}  // namespace
}  // namespace vesalius::cli
