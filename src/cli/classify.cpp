// vesalius classify: images against words.
#include "cli/command.h"
#include "cli/model_run.h"
#include "cli/output.h"
#include "cli/pages.h"
#include "cli/zero_shot_options.h"
#include "results/json_line.h"
#include "tasks/search.h"

namespace vesalius::cli {
namespace {

struct ClassifyCommand {
  InputOptions input;
  ZeroShotOptions words;
  int64_t top = 0, hits = 5;
  std::string index, html;
};

void show(const tasks::Embedded& embedded, const std::vector<tasks::GroupScores>& groups) {
  constexpr size_t kBar = 20, kLabel = 32;
  const Json& identity = embedded.identity;
  print(embedded.source.input + (identity.contains("frame")
                                     ? fmt::format("  frame {}", identity["frame"].get<int>())
                                     : ""));
  for (const auto& group : groups) {
    if (!group.group.empty()) print("  " + group.group);
    for (const auto& score : group.scores)
      print(fmt::format("    {:5.1f} %  {}  {}", 100 * score.score, bar(score.score, kBar),
                        fitted(score.label, kLabel)));
  }
}

/// One run of `classify`, image after image.
class Classifier {
 public:
  Classifier(Session& session, const ClassifyCommand& command, const ModelRun& run,
             const tasks::Index* index)
      : session_(session),
        command_(command),
        index_(index),
        zero_shot_(make_zero_shot(*run.model, command.words)),
        rule_(tasks::parse_score_rule(command.words.scores)),
        provenance_(run.provenance),
        sink_(session),
        page_(session, command.html, "Vesalius · zero-shot classification", run.provenance) {}

  void see(const tasks::Embedded& embedded) {
    if (embedded.problem) page_.add_problem(embedded);
    if (!embedded.features.defined()) return;
    const auto groups = zero_shot_.classify(embedded.features, rule_, command_.top);
    std::vector<tasks::Neighbour> near;
    if (index_ != nullptr)
      near = tasks::find_neighbours(*index_, embedded.features, command_.hits, &embedded);
    Json head = tasks::record_head(embedded, "");
    head["scores"] = tasks::scores_json(groups);
    if (index_ != nullptr) head["hits"] = tasks::hits_json(near);
    sink_.line(results::json_line(head, provenance_));
    if (!session_.common.json && session_.common.output.empty()) show(embedded, groups);
    page_.add(embedded, groups, index_ != nullptr ? &near : nullptr);
  }

  void finish() {
    sink_.finish();
    page_.finish();
  }

 private:
  Session& session_;
  const ClassifyCommand& command_;
  const tasks::Index* index_;
  tasks::ZeroShot zero_shot_;
  tasks::ScoreRule rule_;
  Json provenance_;
  JsonSink sink_;
  CasePage page_;
};

int run_classify(Session& session, const ClassifyCommand& command) {
  const auto sources = gather(command.input);
  check(command.words);
  std::optional<tasks::Index> index;
  if (!command.index.empty()) index = tasks::Index::open(command.index);
  const auto run = open_model(session, true, true);
  if (index)
    index->header().origin.check_fits(tasks::IndexOrigin::from_provenance(run.provenance),
                                      command.index);
  Classifier classifier(session, command, run, index ? &*index : nullptr);
  Watch watch(session, "Classifying", sources.size());
  tasks::Tally tally;
  tasks::embed_sources(*run.model, run.recipe, sources, pipeline_options(command.input),
                       [&](tasks::Embedded&& embedded) {
                         tally.add(embedded);
                         watch.saw(embedded);
                         classifier.see(embedded);
                       });
  classifier.finish();
  return close_run(session, tally);
}

void add_classify(CLI::App& app, Session& session) {
  auto options = std::make_shared<ClassifyCommand>();
  auto* command = add_command(
      app, session,
      {"classify",
       "Images against words, without training",
       {"vesalius classify film.dcm --labels 'no finding, pneumonia' --template 'x-ray chest "
        "anteroposterior {}'",
        "vesalius classify images/ --labels-file labels.txt --index archive/ --html out.html"}},
      [&session, options] { return run_classify(session, *options); });
  add_input_options(*command, options->input);
  add_zero_shot_options(*command, options->words);
  command->add_option("--top", options->top, "Labels shown of each group; 0: all")
      ->capture_default_str()
      ->check(CLI::Range(0, 1 << 20));
  command->add_option("--html", options->html, "A page with images, scores and neighbours")
      ->type_name("FILE");
  command->add_option("--index", options->index, "Also the nearest neighbours in this index")
      ->type_name("FOLDER");
  command->add_option("-k,--hits", options->hits, "How many neighbours")
      ->capture_default_str()
      ->check(CLI::Range(1, 10000));
}

const Registration kClassify{11, add_classify};

}  // namespace
}  // namespace vesalius::cli
