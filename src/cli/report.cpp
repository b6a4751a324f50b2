// vesalius report: findings on chest films, with their boxes.
#include <algorithm>
#include <set>

#include "base/progress.h"
#include "cli/command.h"
#include "cli/report_study.h"
#include "cli/signals.h"
#include "results/report_files.h"
#include "tasks/report_similarity.h"

namespace vesalius::cli {
namespace {

struct ReportCommand {
  std::string frontal, lateral, prior, manifest;
  std::string indication, technique, comparison, prior_report, phrase;
  std::string tasks = "grounded", formats, codes, similarity = "auto", parse;
  bool force = false, no_speculation = false, no_reuse = false;
  tasks::ReportOptions options;
};

constexpr uint64_t kLongestText = 16 << 20;

/// Words as they are, or of a file: @PATH.
std::string words_of(const std::string& given) {
  return given.starts_with('@') ? read_text(given.substr(1), kLongestText) : given;
}

/// The one study of the command line.
tasks::ReportRow row_of(const ReportCommand& command) {
  return {.frontal = command.frontal,
          .lateral = command.lateral,
          .prior = command.prior,
          .context = {.indication = words_of(command.indication),
                      .technique = words_of(command.technique),
                      .comparison = words_of(command.comparison),
                      .prior_report = words_of(command.prior_report),
                      .phrase = words_of(command.phrase)}};
}

std::vector<text::ReportTask> tasks_of(const ReportCommand& command) {
  std::vector<text::ReportTask> tasks;
  for (const auto& word : CLI::detail::split(command.tasks, ','))
    tasks.push_back(text::parse_report_task(CLI::detail::trim_copy(word)));
  return tasks;
}

/// The model that says how well sentences fit the film; null for none.
std::unique_ptr<catalog::EmbeddingModel> open_similarity(const Session& session,
                                                         const std::string& name) {
  if (name == "off") return nullptr;
  const auto card = catalog::find_card("medimageinsight");
  if (name == "auto" && (!card || card->folder.empty())) return nullptr;
  return catalog::open_embedding_model(
      name == "auto" ? "medimageinsight" : name,
      {.device = session.common.device,
       .precision =
           session.common.precision.starts_with("int") ? "auto" : session.common.precision});
}

class Reporter {
 public:
  Reporter(Session& session, const ReportCommand& command)
      : session_(session),
        command_(command),
        model_(catalog::open_report_model(
            session.common.model,
            {.device = session.common.device, .precision = session.common.precision})),
        recipe_(recipes::make_recipe(model_->card().recipe)),
        studies_(session, recipe_, model_->architecture().input, command.force),
        tasks_(tasks_of(command)),
        writer_(*model_),
        similarity_(open_similarity(session, command.similarity)) {
    if (model_->card().seeded)
      remark(session,
             model_->card().name + ": seeded weights, not trained; its text means nothing.");
    if (model_->card().starter)
      remark(session, model_->card().name + ": a starter, for trying the program.");
  }

  /// Every task on one study. Errors name a film.
  void write(const tasks::ReportRow& row) {
    const bool phrase = std::ranges::find(tasks_, text::ReportTask::kPhrase) != tasks_.end();
    if (phrase && row.context.phrase.empty())
      fail(ErrorCode::kUsage,
           "{}: --task phrase: say which with --phrase \"right pleural effusion\", or in the "
           "manifest's column `phrase`.",
           row.frontal);
    const auto study = studies_.read(row);
    stem_ = fs::path(row.frontal).stem().string();
    if (!session_.common.output.empty()) stem_ = unused_name(stems_, stem_);
    for (const text::ReportTask task : tasks_) {
      write(study, task);
      if (stop_requested()) return;
    }
  }

 private:
  void write(const tasks::ReportStudy& study, text::ReportTask task) {
    auto options = command_.options;
    options.task = task;
    if (several() && !session_.common.json) print(fmt::format("{}:", text::name_of(task)));
    auto report = writer_.write(study, options, hooks());
    if (similarity_) tasks::add_similarity(*similarity_, report);
    tell_effort(report);
    if (session_.common.json)
      print(dump_json(results::report_json(report, provenance())));
    else
      show(report);
    if (!session_.common.output.empty()) save(report);
  }

  bool several() const { return tasks_.size() > 1; }

  /// Sentences go to the terminal as they are finished.
  tasks::ReportHooks hooks() {
    number_ = 0;
    tasks::ReportHooks hooks{.stop = stop_requested};
    if (!session_.common.json)
      hooks.on_sentence = [this](const std::string& sentence) {
        const auto first = sentence.find_first_not_of(" \n");
        print(fmt::format("{:>3}. {}", ++number_,
                          first == std::string::npos ? "" : sentence.substr(first)));
      };
    hooks.on_prompt = [this, progress = std::shared_ptr<Progress>()](int64_t done,
                                                                     int64_t total) mutable {
      if (!progress) {
        progress = std::make_shared<Progress>("Reading", total, session_.common.quiet);
        read_ = 0;
      }
      progress->advance(done - read_);
      read_ = done;
      if (done == total) progress.reset();
    };
    return hooks;
  }

  void show(const tasks::Report& report) const {
    size_t number = 0;
    for (const auto& sentence : report.sentences) {
      ++number;
      for (const auto& box : sentence.boxes)
        print(fmt::format("{:>3}. box {:.3f} {:.3f} {:.3f} {:.3f}", number, box.x0, box.y0, box.x1,
                          box.y1));
      for (const auto& mark : sentence.marks) print(fmt::format("{:>3}. check: {}", number, mark));
    }
    for (const auto& repair : report.repairs)
      remark(session_, "the model's text was not well-formed: " + repair.message);
    for (const auto& warning : report.warnings) remark(session_, warning);
  }

  void tell_effort(const tasks::Report& report) {
    const auto& e = writer_.effort();
    session_.report["generation"].push_back({{"input", report.frontal.path},
                                             {"task", text::name_of(report.task)},
                                             {"prompt_tokens", e.prompt_tokens},
                                             {"prompt_tokens_reused", e.reused},
                                             {"tokens_written", e.written},
                                             {"tokens_guessed", e.guessed},
                                             {"tokens_accepted", e.accepted},
                                             {"features_s", e.features_s},
                                             {"prompt_s", e.prompt_s},
                                             {"text_s", e.text_s}});
  }

  Json provenance() const {
    auto recipe = recipe_;
    recipe.parameters["seed"] = command_.options.sampling.seed;
    recipe.parameters["temperature"] = command_.options.sampling.temperature;
    return catalog::provenance(*model_, recipe);
  }

  void save(const tasks::Report& report) {
    auto stem = stem_;
    if (several()) stem += "_" + std::string(text::name_of(report.task));
    const Json about = provenance();
    const auto written = results::write_report_files(
        report, {.folder = session_.common.output,
                 .stem = stem,
                 .formats = results::report_formats(command_.formats.empty() ? "json,txt,png"
                                                                             : command_.formats),
                 .algorithm = {.name = model_->card().name,
                               .version = model_->weights_sha256().substr(0, 16),
                               .parameters = dump_json(about)},
                 .provenance = about,
                 .codes = command_.codes});
    for (const auto& path : written) session_.outputs.push_back(path.string());
  }

  Session& session_;
  const ReportCommand& command_;
  std::unique_ptr<catalog::ReportModel> model_;
  recipes::Recipe recipe_;
  StudyReader studies_;
  std::vector<text::ReportTask> tasks_;
  tasks::ReportWriter writer_;
  std::unique_ptr<catalog::EmbeddingModel> similarity_;
  int number_ = 0;
  int64_t read_ = 0;
  std::set<std::string> stems_;  // of files written
  std::string stem_;             // of this study's
};

/// One study after the other. A bad one is told of and the rest goes on; its own code where none
/// was done.
int run_studies(const Session& session, Reporter& reporter, const ReportCommand& command) {
  int done = 0, failed = 0, first = 0, number = 0;
  for (const tasks::ReportRow& row : tasks::read_study_rows(command.manifest)) {
    ++number;
    if (!session.common.json) print(row.frontal + ":");
    try {
      reporter.write(row);
      ++done;
    } catch (const Error& problem) {
      warn(fmt::format("{}, row {}: {}", command.manifest, number, problem.what()));
      if (failed++ == 0) first = static_cast<int>(problem.code());
    }
    if (stop_requested()) return signal_exit_code();
  }
  if (failed > 0) remark(session, fmt::format("{} studies done, {} failed.", done, failed));
  if (failed == 0) return 0;
  return done > 0 ? static_cast<int>(ErrorCode::kSomeFailed) : first;
}

/// A text that a model wrote somewhere else, taken apart.
int run_parse(const Session& session, const std::string& file) {
  const auto parsed = text::parse_grounded(read_text(file, kLongestText));
  Json findings = Json::array(), diagnostics = Json::array();
  for (const auto& sentence : parsed.sentences) {
    Json boxes = Json::array();
    for (const auto& b : sentence.boxes) boxes.push_back({b.x0, b.y0, b.x1, b.y1});
    findings.push_back({{"text", sentence.text}, {"boxes", boxes}});
  }
  for (const auto& r : parsed.repairs)
    diagnostics.push_back({{"code", r.code}, {"message", r.message}, {"at", r.at}});
  print(dump_json(Json{{"findings", findings}, {"diagnostics", diagnostics}},
                  session.common.json ? -1 : 2));
  return 0;
}

/// One study by itself, or a manifest of them.
void check_studies(const ReportCommand& c) {
  if (c.manifest.empty()) {
    if (c.frontal.empty())
      fail(ErrorCode::kUsage,
           "name the frontal film: vesalius report FRONTAL; several studies: --manifest FILE.");
    return;
  }
  for (const auto* given : {&c.frontal, &c.lateral, &c.prior, &c.indication, &c.technique,
                            &c.comparison, &c.prior_report, &c.phrase})
    if (!given->empty())
      fail(ErrorCode::kUsage,
           "--manifest: films and words stand in its columns; leave out '{}' here.", *given);
}

int run_report(Session& session, ReportCommand& command) {
  if (!command.parse.empty()) return run_parse(session, command.parse);
  check_studies(command);
  if (!command.formats.empty()) {
    results::report_formats(command.formats);
    if (session.common.output.empty())
      fail(ErrorCode::kUsage, "--format: say where to write with -o FOLDER.");
  }
  command.options.sampling.seed = session.common.seed;
  command.options.speculate = !command.no_speculation;
  command.options.reuse_prefix = command.options.cache_features = !command.no_reuse;
  notice(session);
  Reporter reporter(session, command);
  if (!command.manifest.empty()) return run_studies(session, reporter, command);
  reporter.write(row_of(command));
  return stop_requested() ? signal_exit_code() : 0;
}

void add_report(CLI::App& app, Session& session) {
  auto command = std::make_shared<ReportCommand>();
  auto& c = *command;
  auto* report = add_command(
      app, session,
      {"report",
       "Findings on a chest X-ray as sentences, each with its boxes on the film",
       {"vesalius report frontal.dcm --indication \"Shortness of breath.\" --format json,png,sr -o "
        "out/",
        "vesalius report now.png --prior old.png --prior-report @old.txt --task "
        "findings,grounded",
        "vesalius report --manifest studies.csv --json"}},
      [&session, command] { return run_report(session, *command); });
  report->add_option("frontal", c.frontal, "The frontal film: DICOM, PNG, JPEG or TIFF");
  report->add_option("--manifest", c.manifest,
                     "Several studies: CSV or JSON Lines with the columns frontal, lateral, prior, "
                     "indication, technique, comparison, prior_report, phrase");
  report->add_option("--lateral", c.lateral, "The lateral film of the same study");
  report->add_option("--prior", c.prior, "An earlier frontal film");
  report->add_option("--prior-report", c.prior_report,
                     "Its findings: the words, or @FILE; needs --prior");
  report->add_option("--indication", c.indication, "What the clinician asks; or @FILE");
  report->add_option("--technique", c.technique, "How the films were taken; or @FILE");
  report->add_option("--comparison", c.comparison, "What there is to compare with; or @FILE");
  report
      ->add_option("--task", c.tasks,
                   "grounded (sentences with boxes), findings (plain), phrase (find --phrase); "
                   "several by commas share what they can")
      ->capture_default_str();
  report->add_option("--phrase", c.phrase, "The finding that --task phrase looks for");
  report->add_option("--format", c.formats,
                     "Files to write to -o: json,txt,png,sr,gsps,fhir; default json,txt,png");
  report->add_option("--codes", c.codes,
                     "CSV with label, scheme, code, meaning in place of the program's table");
  report
      ->add_option("--max-new-tokens", c.options.max_new_tokens,
                   "Longest text; 0: findings 300, grounded 450, phrase 150")
      ->check(CLI::Range(0, 100000))
      ->capture_default_str();
  report
      ->add_option("--temperature", c.options.sampling.temperature,
                   "0: always the likeliest word; above: drawn, see --seed")
      ->check(CLI::Range(0.0, 10.0))
      ->capture_default_str();
  report
      ->add_option("--samples", c.options.samples,
                   "Further texts, drawn; each sentence says how many agree")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  report
      ->add_option("--similarity", c.similarity,
                   "Embedding model that says how well sentences fit the film; auto: "
                   "medimageinsight where it is installed; off")
      ->capture_default_str();
  report->add_flag("--force", c.force, "Also for a film that seems to be no frontal chest X-ray");
  report->add_flag("--no-speculation", c.no_speculation,
                   "Do not guess from the prior report; the text is the same");
  report->add_flag("--no-reuse", c.no_reuse,
                   "Read every prompt and film from its beginning; the text is the same");
  report->add_option("--parse", c.parse, "Take a model's grounded text apart, nothing else");
}

const Registration kReport{15, add_report};

}  // namespace
}  // namespace vesalius::cli
