// vesalius report: findings on a chest film, with their boxes.
#include <algorithm>
#include <set>

#include "base/progress.h"
#include "cli/command.h"
#include "cli/signals.h"
#include "results/report_files.h"
#include "tasks/report_similarity.h"
#include "tasks/report_writer.h"

namespace vesalius::cli {
namespace {

struct ReportCommand {
  std::string frontal, lateral, prior;
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

tasks::PreparedFilm open_film(Session& session, const ReportCommand& command,
                              const std::string& path, const recipes::Recipe& recipe,
                              const recipes::ModelInput& input) {
  auto film = tasks::read_film(path, recipe, input);
  if (film.doubt.empty()) return film;
  if (!command.force)
    fail(ErrorCode::kUnsupported,
         "{}: is no chest X-ray, it seems: {}. --force writes a report all the same.", path,
         film.doubt);
  remark(session, path + ": is no chest X-ray, it seems: " + film.doubt + ". Forced.");
  film.warnings.push_back("it seems to be no chest X-ray (" + film.doubt +
                          "); a report was forced");
  return film;
}

tasks::ReportStudy read_study(Session& session, const ReportCommand& command,
                              const recipes::Recipe& recipe, const recipes::ModelInput& input) {
  const auto film = [&](const std::string& path) {
    return open_film(session, command, path, recipe, input);
  };
  tasks::ReportStudy study{.frontal = film(command.frontal)};
  if (!command.lateral.empty()) {
    study.lateral = tasks::read_film(command.lateral, recipe, input);
  }
  if (!command.prior.empty()) study.prior = film(command.prior);
  study.context = {.indication = words_of(command.indication),
                   .technique = words_of(command.technique),
                   .comparison = words_of(command.comparison),
                   .prior_report = words_of(command.prior_report),
                   .phrase = words_of(command.phrase)};
  return study;
}

std::vector<text::ReportTask> tasks_of(const ReportCommand& command) {
  std::vector<text::ReportTask> tasks;
  for (const auto& word : CLI::detail::split(command.tasks, ','))
    tasks.push_back(text::parse_report_task(CLI::detail::trim_copy(word)));
  const bool phrase = std::ranges::find(tasks, text::ReportTask::kPhrase) != tasks.end();
  if (phrase && command.phrase.empty())
    fail(ErrorCode::kUsage, "--task phrase: say which with --phrase \"right pleural effusion\".");
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
        writer_(*model_),
        similarity_(open_similarity(session, command.similarity)) {
    if (model_->card().seeded)
      remark(session,
             model_->card().name + ": seeded weights, not trained; its text means nothing.");
    if (model_->card().starter)
      remark(session, model_->card().name + ": a starter, for trying the program.");
  }

  int run() {
    const auto tasks = tasks_of(command_);
    const auto study = read_study(session_, command_, recipe_, model_->architecture().input);
    for (const text::ReportTask task : tasks) {
      write(study, task, tasks.size() > 1);
      if (stop_requested()) return signal_exit_code();
    }
    return 0;
  }

 private:
  void write(const tasks::ReportStudy& study, text::ReportTask task, bool several) {
    auto options = command_.options;
    options.task = task;
    if (several && !session_.common.json) print(fmt::format("{}:", text::name_of(task)));
    auto report = writer_.write(study, options, hooks());
    if (similarity_) tasks::add_similarity(*similarity_, report);
    tell_effort(task);
    if (session_.common.json)
      print(dump_json(results::report_json(report, provenance())));
    else
      show(report);
    if (!session_.common.output.empty()) save(report, several);
  }

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

  void tell_effort(text::ReportTask task) {
    const auto& e = writer_.effort();
    session_.report["generation"].push_back({{"task", text::name_of(task)},
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

  void save(const tasks::Report& report, bool several) {
    auto stem = fs::path(command_.frontal).stem().string();
    if (several) stem += "_" + std::string(text::name_of(report.task));
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
  tasks::ReportWriter writer_;
  std::unique_ptr<catalog::EmbeddingModel> similarity_;
  int number_ = 0;
  int64_t read_ = 0;
};

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

int run_report(Session& session, ReportCommand& command) {
  if (!command.parse.empty()) return run_parse(session, command.parse);
  if (command.frontal.empty())
    fail(ErrorCode::kUsage, "name the frontal film: vesalius report FRONTAL.");
  if (!command.formats.empty()) {
    results::report_formats(command.formats);
    if (session.common.output.empty())
      fail(ErrorCode::kUsage, "--format: say where to write with -o FOLDER.");
  }
  command.options.sampling.seed = session.common.seed;
  command.options.speculate = !command.no_speculation;
  command.options.reuse_prefix = command.options.cache_features = !command.no_reuse;
  notice(session);
  return Reporter(session, command).run();
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
        "findings,grounded"}},
      [&session, command] { return run_report(session, *command); });
  report->add_option("frontal", c.frontal, "The frontal film: DICOM, PNG, JPEG or TIFF");
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
