#include "cli/model_run.h"

#include <iostream>

#include "cli/signals.h"

namespace vesalius::cli {
namespace {

/// KEY=VALUE pairs to JSON; a value that is JSON (75, true) is taken as such, else as text.
Json parse_parameters(const std::vector<std::string>& pairs) {
  Json parameters = Json::object();
  for (const auto& pair : pairs) {
    const size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0)
      fail(ErrorCode::kUsage, "--recipe-parameter takes KEY=VALUE, not '{}'.", pair);
    const std::string value = pair.substr(equals + 1);
    const Json parsed = Json::parse(value, nullptr, /*allow_exceptions=*/false);
    parameters[pair.substr(0, equals)] = parsed.is_discarded() ? Json(value) : parsed;
  }
  return parameters;
}

recipes::Recipe choose_recipe(const CommonOptions& common, const catalog::Card& card,
                              const recipes::Recipe* fallback) {
  const Json parameters = parse_parameters(common.recipe_parameters);
  if (common.recipe.empty() && parameters.empty() && fallback != nullptr) return *fallback;
  const std::string name = !common.recipe.empty() ? common.recipe
                           : fallback != nullptr  ? fallback->name
                           : !card.recipe.empty() ? card.recipe
                                                  : "vesalius";
  return recipes::make_recipe(name.substr(0, name.find('@')), parameters);
}

/// The recipe of an index; "NAME@VERSION" of another version than ours is then refused by
/// check_fits.
recipes::Recipe recipe_of(const tasks::IndexOrigin& origin) {
  const std::string name = origin.recipe.substr(0, origin.recipe.find('@'));
  return recipes::make_recipe(name, origin.recipe_parameters);
}

}  // namespace

void add_input_options(CLI::App& command, InputOptions& options) {
  command.add_option(
      "INPUT", options.request.inputs,
      "Files, folders (walked, what is no image is skipped), or - for a list on standard "
      "input");
  command
      .add_option("--manifest", options.request.manifest,
                  "CSV or JSON Lines with a column `path`; other columns are carried through")
      ->type_name("FILE");
  command
      .add_option("--frames", options.frames,
                  "Of a multi-frame DICOM: middle, first, all, or a number from 0")
      ->capture_default_str();
  command.add_option("--batch", options.batch, "Images at once in the model; 0: by its size")
      ->capture_default_str()
      ->check(CLI::Range(0, 4096));
  command.add_option("--workers", options.workers, "Threads that decode ahead; 0: one a core")
      ->capture_default_str()
      ->check(CLI::Range(0, 256));
}

std::vector<tasks::Source> gather(const InputOptions& options) {
  auto sources = tasks::gather_inputs(options.request, std::cin);
  if (sources.empty())
    fail(
        ErrorCode::kUnsupported,
        "{}: there is no file in it. Name images, or a folder that holds some.",
        options.request.inputs.empty() ? options.request.manifest : options.request.inputs.front());
  return sources;
}

tasks::PipelineOptions pipeline_options(const InputOptions& options) {
  return {.frames = tasks::FrameChoice::parse(options.frames.empty() ? "middle" : options.frames),
          .workers = options.workers,
          .batch = options.batch,
          .stop = stop_requested};
}

ModelRun open_model(Session& session, bool images, bool texts, const std::string& model_default,
                    const recipes::Recipe* recipe_default) {
  const auto& common = session.common;
  if (!common.recipe.empty())
    recipes::make_recipe(common.recipe);  // a wrong name before a long wait
  ModelRun run;
  run.model = catalog::open_embedding_model(
      common.model.empty() ? model_default : common.model,
      {.device = common.device, .precision = common.precision, .images = images, .texts = texts});
  run.recipe = choose_recipe(common, run.model->card(), recipe_default);
  run.provenance = catalog::provenance(*run.model, run.recipe);
  session.report["provenance"] = run.provenance;
  notice(session);
  return run;
}

ModelRun open_for_index(Session& session, const tasks::Index& index, bool images, bool texts) {
  const auto& origin = index.header().origin;
  // A model opened from a folder has no name to come back to; then --model says where it is.
  const bool known = catalog::find_card(origin.model).has_value();
  const auto recipe = recipe_of(origin);
  auto run = open_model(session, images, texts, known ? origin.model : "", &recipe);
  origin.check_fits(tasks::IndexOrigin::from_provenance(run.provenance), index.folder().string());
  return run;
}

Watch::Watch(const Session& session, const char* what, size_t total)
    : progress_(what, static_cast<int64_t>(total), session.common.quiet) {}

void Watch::saw(const tasks::Embedded& embedded) {
  if (embedded.problem) warn(embedded.problem->what());
  for (const auto& warning : embedded.warnings)
    warn(fmt::format("{}: {}", embedded.source.input, warning));
  if (embedded.source.input != last_) progress_.advance();  // once a file, not once a frame
  last_ = embedded.source.input;
}

int close_run(Session& session, const tasks::Tally& tally) {
  session.report["inputs"] = tally.to_json();
  const auto plural = [](int64_t n) { return n == 1 ? "" : "s"; };
  if (tally.skipped > 0)
    remark(session, fmt::format("Skipped {} file{} that are no images.", tally.skipped,
                                plural(tally.skipped)));
  if (tally.failed > 0 && tally.failed + tally.done > 1)
    warn(fmt::format("{} of {} inputs failed; {} done.", tally.failed, tally.failed + tally.done,
                     tally.done));
  if (tally.done == 0 && tally.failed == 0 && !stop_requested())
    fail(ErrorCode::kUnsupported,
         "none of the {} files is an image that can be read (PNG, JPEG, TIFF, DICOM).",
         tally.skipped);
  return tally.exit_code();
}

}  // namespace vesalius::cli
