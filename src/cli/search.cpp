// vesalius search: similar cases in an index.
#include "tasks/search.h"
#include "cli/command.h"
#include "cli/model_run.h"
#include "cli/output.h"
#include "cli/pages.h"
#include "cli/text_options.h"
#include "results/json_line.h"

namespace vesalius::cli {
namespace {

struct SearchCommand {
  InputOptions input;
  TextOptions text;
  std::string index, html;
  int64_t hits = 5;
  bool exclude_self = false;
};

void show(const std::string& query, const std::vector<tasks::Neighbour>& neighbours) {
  constexpr size_t kPath = 60;
  print(query);
  for (const auto& neighbour : neighbours)
    print(fmt::format("  {:.4f}  {}", neighbour.score,
                      fitted(neighbour.entry["path"].get<std::string>(), kPath)));
}

class Searcher {
 public:
  Searcher(Session& session, const SearchCommand& command, const tasks::Index& index,
           const ModelRun& run)
      : session_(session),
        command_(command),
        index_(index),
        provenance_(run.provenance),
        sink_(session),
        page_(session, command.html, "Vesalius · similar cases", run.provenance) {}

  void see(const tasks::Embedded& embedded) {
    if (embedded.problem) page_.add_problem(embedded);
    if (!embedded.features.defined()) return;
    const auto near = tasks::find_neighbours(index_, embedded.features, command_.hits,
                                             command_.exclude_self ? &embedded : nullptr);
    give(tasks::record_head(embedded, ""), embedded.source.input, near);
    page_.add(embedded, {}, &near);
  }

  void see_text(const tasks::Record& record) {
    const auto near = tasks::find_neighbours(index_, record.features, command_.hits);
    const auto text = record.head["input"].get<std::string>();
    give(record.head, text, near);
    page_.add_text(text, near);
  }

  void finish() {
    sink_.finish();
    page_.finish();
  }

 private:
  void give(Json head, const std::string& query, const std::vector<tasks::Neighbour>& near) {
    head["hits"] = tasks::hits_json(near);
    sink_.line(results::json_line(head, provenance_));
    if (!session_.common.json && session_.common.output.empty()) show(query, near);
  }

  Session& session_;
  const SearchCommand& command_;
  const tasks::Index& index_;
  Json provenance_;
  JsonSink sink_;
  CasePage page_;
};

int run_search(Session& session, const SearchCommand& command) {
  const auto texts = read_texts(command.text);
  const bool images =
      !command.input.request.inputs.empty() || !command.input.request.manifest.empty();
  const auto sources =
      images || texts.empty() ? gather(command.input) : std::vector<tasks::Source>{};
  const auto index = tasks::Index::open(command.index);
  const auto run = open_for_index(session, index, !sources.empty(), !texts.empty());
  Searcher searcher(session, command, index, run);
  for (const auto& record : tasks::embed_texts(*run.model, texts, false)) searcher.see_text(record);
  Watch watch(session, "Searching", sources.size());
  tasks::Tally tally;
  tasks::embed_sources(*run.model, run.recipe, sources, pipeline_options(command.input),
                       [&](tasks::Embedded&& embedded) {
                         tally.add(embedded);
                         watch.saw(embedded);
                         searcher.see(embedded);
                       });
  searcher.finish();
  return sources.empty() ? 0 : close_run(session, tally);
}

void add_search(CLI::App& app, Session& session) {
  auto options = std::make_shared<SearchCommand>();
  auto* command =
      add_command(app, session,
                  {"search",
                   "Similar cases in an index, for an image or for words",
                   {"vesalius search scan.dcm --index archive/ -k 10",
                    "vesalius search --text 'pleural effusion' --index archive/ --json"}},
                  [&session, options] { return run_search(session, *options); });
  add_input_options(*command, options->input);
  add_text_options(*command, options->text);
  command->add_option("--index", options->index, "What `vesalius index build` made")
      ->required()
      ->type_name("FOLDER");
  command->add_option("-k,--hits", options->hits, "How many similar cases")
      ->capture_default_str()
      ->check(CLI::Range(1, 10000));
  command->add_flag("--exclude-self", options->exclude_self, "Leave out the query itself");
  command->add_option("--html", options->html, "A page with images and neighbours")
      ->type_name("FILE");
}

const Registration kSearch{21, add_search};

}  // namespace
}  // namespace vesalius::cli
