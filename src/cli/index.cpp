// vesalius index build, add, info.
#include "cli/command.h"
#include "cli/model_run.h"
#include "results/json_line.h"
#include "tasks/index_writer.h"
#include "tasks/search.h"

namespace vesalius::cli {
namespace {

struct IndexCommand {
  InputOptions input;
  std::string index;
  bool replace = false;
};

int fill(Session& session, const IndexCommand& command, const ModelRun& run,
         const std::vector<tasks::Source>& sources, tasks::IndexWriter writer) {
  Watch watch(session, "Indexing", sources.size());
  tasks::Tally tally;
  tasks::embed_sources(*run.model, run.recipe, sources, pipeline_options(command.input),
                       [&](tasks::Embedded&& embedded) {
                         tally.add(embedded);
                         watch.saw(embedded);
                         if (embedded.features.defined())
                           writer.add(embedded.features, tasks::index_entry(embedded));
                       });
  if (writer.added() > 0) writer.commit();
  const int code = close_run(session, tally);
  session.outputs.push_back(command.index);
  session.report["rows_added"] = writer.added();
  if (session.common.json)
    print(results::json_line({{"index", command.index},
                              {"added", writer.added()},
                              {"failed", tally.failed},
                              {"skipped", tally.skipped}},
                             run.provenance));
  else
    remark(session, fmt::format("{}: {} vectors added.", command.index, writer.added()));
  return code;
}

int run_build(Session& session, IndexCommand command) {
  command.index = session.common.output;
  if (command.index.empty()) fail(ErrorCode::kUsage, "say where the index goes: -o FOLDER.");
  const auto sources = gather(command.input);
  const auto run = open_model(session, true, false);
  return fill(
      session, command, run, sources,
      tasks::IndexWriter::create(command.index, tasks::IndexOrigin::from_provenance(run.provenance),
                                 run.model->dimension(), command.replace));
}

int run_add(Session& session, IndexCommand command) {
  if (command.index.empty()) command.index = session.common.output;
  if (command.index.empty()) fail(ErrorCode::kUsage, "say which index grows: --index FOLDER.");
  const auto sources = gather(command.input);
  const auto index = tasks::Index::open(command.index);
  const auto run = open_for_index(session, index, true, false);
  return fill(
      session, command, run, sources,
      tasks::IndexWriter::append(command.index, tasks::IndexOrigin::from_provenance(run.provenance),
                                 run.model->dimension()));
}

int run_info(Session& session, const std::string& folder) {
  const auto index = tasks::Index::open(folder);
  Json facts = index.header().to_json();
  facts["index"] = folder;
  if (session.common.json) {
    print(dump_json(facts));
    return 0;
  }
  const auto& origin = index.header().origin;
  print(fmt::format("index       {}", folder));
  print(fmt::format("vectors     {} of {} numbers, in {} segments, sums checked",
                    index.header().count, index.header().dimension,
                    index.header().segments.size()));
  print(fmt::format("model       {}", origin.model));
  print(fmt::format("weights     {}", origin.weights_sha256));
  print(fmt::format("recipe      {} {}", origin.recipe, dump_json(origin.recipe_parameters)));
  print(fmt::format("precision   {} on {}", origin.precision, origin.device));
  return 0;
}

void add_build(CLI::App& parent, Session& session) {
  auto options = std::make_shared<IndexCommand>();
  auto* command =
      add_command(parent, session,
                  {"build",
                   "A new index of images",
                   {"vesalius index build archive/ -o archive.index",
                    "vesalius index build --manifest cases.csv -o cases.index --frames all"}},
                  [&session, options] { return run_build(session, *options); });
  add_input_options(*command, options->input);
  command->add_flag("--replace", options->replace, "Build anew what is an index already");
}

void add_add(CLI::App& parent, Session& session) {
  auto options = std::make_shared<IndexCommand>();
  auto* command =
      add_command(parent, session,
                  {"add",
                   "More images into an index, all or nothing",
                   {"vesalius index add new/ --index archive.index",
                    "find /pacs -newer last | vesalius index add - --index archive.index"}},
                  [&session, options] { return run_add(session, *options); });
  add_input_options(*command, options->input);
  command->add_option("--index", options->index, "The index (or -o)")->type_name("FOLDER");
}

void add_info(CLI::App& parent, Session& session) {
  auto folder = std::make_shared<std::string>();
  auto* command = add_command(
      parent, session,
      {"info",
       "What an index holds and where its vectors come from",
       {"vesalius index info archive.index", "vesalius index info archive.index --json"}},
      [&session, folder] { return run_info(session, *folder); });
  command->add_option("INDEX", *folder, "What `vesalius index build` made")->required();
}

void add_index(CLI::App& app, Session& session) {
  auto* parent = add_command(
      app, session,
      {"index",
       "Build, grow and inspect an index of image vectors",
       {"vesalius index build archive/ -o archive.index", "vesalius index info archive.index"}});
  add_build(*parent, session);
  add_add(*parent, session);
  add_info(*parent, session);
}

const Registration kIndex{20, add_index};

}  // namespace
}  // namespace vesalius::cli
