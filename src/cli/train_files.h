// What every training leaves beside its model: the log and its picture.
#pragma once

#include <vector>

#include "cli/command.h"
#include "tasks/train_loop.h"

namespace vesalius::cli {

/// The log as a file of JSON lines (log.jsonl), a plot beside it (training.svg), and with --json
/// lines for whoever watches. A resumed run goes on in the old file.
class TrainFiles {
 public:
  TrainFiles(const Session& session, fs::path folder, bool resume);
  /// Lines of an epoch's end are written to disk at once.
  void add(const Json& line);
  void write() const;

 private:
  const Session& session_;
  fs::path folder_;
  std::vector<Json> lines_;
};

/// The options of every training's loop, and --store-as.
void add_loop_options(CLI::App& app, tasks::LoopOptions& options, std::string& store_as);
/// Seed, precision and the state's place, from the session. Error kUsage without -o.
void set_loop_options(const Session& session, tasks::LoopOptions& options);

/// Freed activations stay with the program: given back to the system and taken again, they cost a
/// third of every step.
void keep_freed_memory();

}  // namespace vesalius::cli
