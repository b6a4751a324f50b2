// vesalius evaluate classify, search, embedding: figures with 95 % intervals.
#include "tasks/evaluate.h"
#include "cli/command.h"
#include "cli/evaluate_data.h"
#include "cli/output.h"
#include "cli/zero_shot_options.h"
#include "results/json_line.h"

namespace vesalius::cli {
namespace {

/// Prints every figure of a report as "name  value  (low – high)".
void show_figures(const Json& report) {
  for (const auto& [name, value] : report.items()) {
    if (value.is_object() && value.contains("low"))
      print(fmt::format("{:<28} {:.3f}  ({:.3f} – {:.3f})", name, value["value"].get<double>(),
                        value["low"].get<double>(), value["high"].get<double>()));
    else if (value.is_object())
      print(name), show_figures(value);
    else if (value.is_number() || value.is_string())
      print(fmt::format("{:<28} {}", name, dump_json(value)));
  }
}

void show_classes(const Json& classes) {
  constexpr size_t kLabel = 32;
  const auto figure = [](const Json& f) {
    return f.is_null() ? std::string("–")
                       : fmt::format("{:.3f} ({:.3f} – {:.3f})", f["value"].get<double>(),
                                     f["low"].get<double>(), f["high"].get<double>());
  };
  print("\n" + fitted("class", kLabel) + "  count  F1     sensitivity            AUROC");
  for (const auto& one : classes)
    print(fmt::format("{}  {:>5}  {:.3f}  {:<22} {}",
                      fitted(one["label"].get<std::string>(), kLabel), one["count"].get<int64_t>(),
                      one["f1"].get<double>(), figure(one["sensitivity"]), figure(one["auroc"])));
}

/// JSON on one line, a table for a person, and -o.
void give(Session& session, const char* task, const Json& report, const Json& provenance) {
  Json head = {{"task", task}};
  head.update(report);
  JsonSink sink(session);
  sink.line(results::json_line(head, provenance));
  sink.finish();
  session.report["figures"] = report;
  if (session.common.json) return;
  show_figures(report);
  if (report.contains("classes") && !report["classes"].empty() && report["classes"][0].is_object())
    show_classes(report["classes"]);
}

struct ClassifyOptions {
  EvaluateInput input;
  ZeroShotOptions words;
};

/// The single group of labels to choose from: as given, else what the manifest's column holds.
std::vector<tasks::LabelGroup> labels_of(const ClassifyOptions& options, const Samples& samples) {
  if (options.words.labels.empty() && options.words.labels_file.empty())
    return {{.labels = samples.labels}};
  auto groups = read_labels(options.words);
  if (groups.size() != 1)
    fail(ErrorCode::kUsage, "evaluate takes labels of one group; there are {}.", groups.size());
  return groups;
}

int run_classify(Session& session, const ClassifyOptions& options) {
  for (const auto& pattern : options.words.templates) tasks::fill_template(pattern, "");
  auto samples = read_samples(options.input);
  const auto groups = labels_of(options, samples);
  relabel(samples, groups[0].labels, options.input);
  const auto run = open_model(session, true, true);
  const tasks::ZeroShot zero_shot(*run.model, groups, options.words.templates);
  const auto tally = embed_samples(session, run, options.input, samples);
  tasks::Answers answers{.labels = samples.labels, .truth = samples.truth};
  const auto rule = tasks::parse_score_rule(options.words.scores);
  for (int64_t i = 0; i < samples.features.size(0); ++i)
    answers.scores.push_back(
        scores_in_order(zero_shot.classify(samples.features[i], rule), samples.labels));
  give(session, "classify", tasks::evaluate_answers(answers, session.common.seed), run.provenance);
  return close_run(session, tally);
}

int run_search(Session& session, const EvaluateInput& input, const std::vector<int64_t>& ks) {
  auto samples = read_samples(input);
  if (samples.truth.empty())
    fail(ErrorCode::kUnsupported,
         "{}: has no column `{}`. Name the one with the truth: --label-column.",
         input.input.request.manifest, input.label_column);
  const auto run = open_model(session, true, false);
  const auto tally = embed_samples(session, run, input, samples);
  give(session, "search",
       tasks::evaluate_retrieval({samples.labels, samples.truth, samples.features}, ks,
                                 session.common.seed),
       run.provenance);
  return close_run(session, tally);
}

int run_embedding(Session& session, const EvaluateInput& input, int64_t k) {
  auto samples = read_samples(input);
  const bool pairs = !samples.texts.empty();
  const auto run = open_model(session, true, pairs);
  const auto tally = embed_samples(session, run, input, samples);
  Json report = Json::object();
  if (!samples.labels.empty())
    report = tasks::evaluate_neighbours({samples.labels, samples.truth, samples.features}, k,
                                        session.common.seed);
  if (pairs)
    report["pairs"] = tasks::evaluate_pairs(samples.features, run.model->embed_texts(samples.texts),
                                            samples.texts, session.common.seed);
  give(session, "embedding", report, run.provenance);
  return close_run(session, tally);
}

void add_evaluate_classify(CLI::App& parent, Session& session) {
  auto options = std::make_shared<ClassifyOptions>();
  auto* command = add_command(
      parent, session,
      {"classify",
       "Zero-shot answers against a manifest's labels",
       {"vesalius evaluate classify --manifest films.csv --template 'x-ray chest {}'",
        "vesalius evaluate classify --manifest films.csv --labels-file labels.txt --json"}},
      [&session, options] { return run_classify(session, *options); });
  add_evaluate_input(*command, options->input);
  add_zero_shot_options(*command, options->words);
}

void add_evaluate_search(CLI::App& parent, Session& session) {
  auto input = std::make_shared<EvaluateInput>();
  auto ks = std::make_shared<std::vector<int64_t>>(std::vector<int64_t>{1, 3, 5, 10});
  auto* command =
      add_command(parent, session,
                  {"search",
                   "Every image as a query among the others: P@k and average precision",
                   {"vesalius evaluate search --manifest cases.csv --label-column modality",
                    "vesalius evaluate search --manifest cases.csv -k 1,5,20 --json"}},
                  [&session, input, ks] { return run_search(session, *input, *ks); });
  add_evaluate_input(*command, *input);
  command->add_option("-k,--at", *ks, "Ranks at which precision is given")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
}

void add_evaluate_embedding(CLI::App& parent, Session& session) {
  auto input = std::make_shared<EvaluateInput>();
  auto k = std::make_shared<int64_t>(5);
  auto* command = add_command(
      parent, session,
      {"embedding",
       "Nearest-neighbour classes; with a column `text`, images and texts finding each other",
       {"vesalius evaluate embedding --manifest cases.csv --label-column modality",
        "vesalius evaluate embedding --manifest pairs.csv --text-column text --json"}},
      [&session, input, k] { return run_embedding(session, *input, *k); });
  add_evaluate_input(*command, *input);
  command->add_option("--text-column", input->text_column, "Column with an image's text")
      ->capture_default_str();
  command->add_option("-k,--neighbours", *k, "Neighbours that vote")
      ->capture_default_str()
      ->check(CLI::Range(1, 10000));
}

void add_evaluate(CLI::App& app, Session& session) {
  auto* parent = add_command(
      app, session,
      {"evaluate",
       "Figures with 95 % intervals from a manifest with labels",
       {"vesalius evaluate classify --manifest films.csv --labels 'no finding, pneumonia'",
        "vesalius evaluate search --manifest cases.csv --label-column modality"}});
  add_evaluate_classify(*parent, session);
  add_evaluate_search(*parent, session);
  add_evaluate_embedding(*parent, session);
}

const Registration kEvaluate{32, add_evaluate};

}  // namespace
}  // namespace vesalius::cli
