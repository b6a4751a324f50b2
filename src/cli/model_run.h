// What the commands that run a model share: inputs, model and recipe, progress, complaints.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/progress.h"
#include "catalog/catalog.h"
#include "cli/command.h"
#include "tasks/embed.h"
#include "tasks/index.h"
#include "tasks/inputs.h"
#include "tasks/pipeline.h"

namespace vesalius::cli {

/// Options of every command that reads images.
struct InputOptions {
  tasks::InputRequest request;
  std::string frames = "middle";
  int64_t batch = 0;
  int workers = 0;
};
/// INPUT..., --manifest, --frames, --batch, --workers.
void add_input_options(CLI::App& command, InputOptions& options);
/// The list of files, read from standard input for "-". Error kUnsupported when folders held
/// nothing at all.
std::vector<tasks::Source> gather(const InputOptions& options);
tasks::PipelineOptions pipeline_options(const InputOptions& options);

/// A model and the recipe it is fed by.
struct ModelRun {
  std::unique_ptr<catalog::EmbeddingModel> model;
  recipes::Recipe recipe;
  Json provenance;
};
/// Opens what --model, --device, --precision and --recipe ask for, and notes it in the run report.
/// Empty names mean `model_default` and `recipe_default`, and where these are empty too, the
/// catalog's and the card's.
ModelRun open_model(Session& session, bool images, bool texts,
                    const std::string& model_default = "",
                    const recipes::Recipe* recipe_default = nullptr);

/// The model and recipe that an index was built with, unless options ask for others; Error kModel
/// when these do not fit the index.
ModelRun open_for_index(Session& session, const tasks::Index& index, bool images, bool texts);

/// Progress, warnings and failures of a run over sources, on standard error.
class Watch {
 public:
  Watch(const Session& session, const char* what, size_t total);
  /// Call for every source, whatever became of it.
  void saw(const tasks::Embedded& embedded);

 private:
  Progress progress_;
  std::string last_;
};

/// The end of a run: counts to the report and, when something was skipped or failed, to standard
/// error.
int close_run(Session& session, const tasks::Tally& tally);

}  // namespace vesalius::cli
