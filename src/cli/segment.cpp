// vesalius segment: masks from words.
#include <algorithm>
#include <set>

#include "base/hash.h"
#include "base/progress.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "results/segment_files.h"
#include "tasks/segment.h"
#include "tasks/vocabulary.h"

namespace vesalius::cli {
namespace {

struct SegmentCommand {
  std::vector<std::string> inputs, prompts;
  std::string formats, intensity = "auto", kind, uniforms = "generator";
  bool all = false, isolated = false, as_is = false, probabilities = false, fill_gaps = false;
  std::string existence;                // file
  std::string existence_used;           // its hash, or that it is the published one
  tasks::ExistenceTable own_existence;  // what it holds
  tasks::SegmentInputOptions input;
  tasks::SegmentOptions options;
};

/// The kind of image that existence statistics and --all go by; both empty when nobody says.
struct Kind {
  std::string key;
  std::vector<std::string> targets;
};

/// Of a kind that only the user's own table knows, or a published one, without its own targets.
Kind named_kind(const SegmentCommand& command, const tasks::SegmentInput& input) {
  if (command.own_existence.contains(command.kind) && tasks::kind_in_words(command.kind) == nullptr)
    return {command.kind, {}};
  const auto* known = command.kind.empty() ? tasks::kind_of(tasks::hints_of(input))
                                           : &tasks::image_kind(command.kind);
  return known != nullptr ? Kind{known->key, tasks::targets_to_try(*known)} : Kind{};
}

Kind kind_of(const SegmentCommand& command, const tasks::SegmentInput& input) {
  Kind kind = named_kind(command, input);
  if (const auto own = command.own_existence.find(kind.key); own != command.own_existence.end())
    for (const auto& [target, parameters] : own->second)
      if (std::ranges::find(kind.targets, target) == kind.targets.end())
        kind.targets.push_back(target);
  return kind;
}

/// Prompts, and the numbers they have in label maps.
struct Asked {
  std::vector<std::string> prompts;
  std::vector<uint16_t> numbers;
};

/// Each prompt where it stands first: in a volume, twins would take each other's voxels.
void leave_once(std::vector<std::string>& prompts) {
  std::set<std::string> seen;
  std::erase_if(prompts, [&](const std::string& prompt) { return !seen.insert(prompt).second; });
}

Asked prompts_for(const SegmentCommand& command, const tasks::SegmentInput& input,
                  const Kind& kind) {
  Asked asked;
  for (const auto& joined : command.prompts) {
    auto split = tasks::split_prompts(joined);
    std::ranges::move(split, std::back_inserter(asked.prompts));
  }
  if (command.all) {
    if (kind.key.empty())
      fail(ErrorCode::kUsage,
           "{}: --all needs to know what kind of image it is. Say so with --modality, for example "
           "CT-Abdomen.",
           input.path);
    std::ranges::copy(kind.targets, std::back_inserter(asked.prompts));
  }
  leave_once(asked.prompts);
  if (asked.prompts.empty() && input.prompts)
    for (const auto& [number, text] : input.prompts->texts) {
      asked.prompts.push_back(text);
      asked.numbers.push_back(static_cast<uint16_t>(number));
    }
  if (asked.prompts.empty())
    fail(ErrorCode::kUsage, "say what to look for: --prompt \"liver & spleen\", or --all.");
  return asked;
}

std::string stem_of(const std::string& path) {
  auto name = fs::path(path).filename();
  if (name.empty()) name = fs::path(path).parent_path().filename();
  std::string stem = name.string();
  for (const char* ending :
       {".gz", ".nii", ".dcm", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".npz"})
    if (stem.ends_with(ending) && stem.size() > std::string_view(ending).size())
      stem.resize(stem.size() - std::string_view(ending).size());
  return stem;
}

Json number_or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

Json json_of(const tasks::SegmentInput& input, const tasks::Target& target,
             const Json& provenance) {
  Json line{{"input", input.path},
            {"prompt", target.prompt},
            {"present", target.present},
            {"voxels", target.voxels},
            {"volume_ml", number_or_null(target.volume_ml)},
            {"mean_intensity", number_or_null(target.mean_intensity)}};
  if (target.existence_probability)
    line["existence_probability"] = *target.existence_probability;
  else
    line["p_value"] = number_or_null(target.p_value);  // null: no statistic
  if (input.dicom) {
    line["study_instance_uid"] = input.dicom->study_instance_uid;
    line["series_instance_uid"] = input.dicom->series_instance_uid;
  }
  if (!input.remarks.empty()) line["remarks"] = input.remarks;
  line.update(provenance);
  return line;
}

std::string shown(const std::optional<double>& value, const char* unit) {
  return value ? fmt::format("{:.1f}{}", *value, unit) : "–";
}

void show(const tasks::SegmentInput& input, const std::vector<tasks::Target>& targets) {
  print(input.path);
  print(fmt::format("  {}  {:7}  {:>9}  {:>10}  {:>10}  {:>10}", fitted("target", 32), "found",
                    "evidence", "voxels", "volume", "mean"));
  for (const auto& target : targets) {
    const auto evidence =
        target.existence_probability ? target.existence_probability : target.p_value;
    print(fmt::format("  {}  {:7}  {:>9}  {:>10}  {:>10}  {:>10}", fitted(target.prompt, 32),
                      target.present ? "yes" : "no",
                      evidence ? fmt::format("{:.3f}", *evidence) : "–", target.voxels,
                      shown(target.volume_ml, " ml"), shown(target.mean_intensity, "")));
  }
}

/// One input after another through one model.
class Segmenter {
 public:
  Segmenter(Session& session, const SegmentCommand& command)
      : session_(session),
        command_(command),
        model_(catalog::open_segmentation_model(
            session.common.model,
            {.device = session.common.device, .precision = session.common.precision})) {
    if (model_->card().seeded)
      remark(session,
             model_->card().name + ": seeded weights, not trained; what it finds means nothing.");
    if (model_->version() == 2 && !command.existence.empty())
      fail(ErrorCode::kUsage,
           "--existence is for version 1 (biomedparse-v1); {} tells itself how surely a target is "
           "there.",
           model_->card().name);
    if (model_->card().starter)
      remark(session, model_->card().name + ": a starter, for trying the program.");
  }

  void see(const std::string& path) {
    const auto input = tasks::read_segment_input(path, command_.input);
    for (const auto& line : input.remarks) remark(session_, path + ": " + line);
    const auto kind = kind_of(command_, input);
    const auto asked = prompts_for(command_, input, kind);
    const tasks::Planes planes(input, {.version = model_->version(),
                                       .side = model_->side(),
                                       .intensity = command_.intensity,
                                       .as_is = command_.as_is});
    auto options = command_.options;
    options.prompts = asked.prompts;
    options.kind = kind.key;
    const auto targets = run(input, planes, options);
    if (model_->version() == 1) tell_of_no_statistic(path, kind, targets);
    const Json provenance = provenance_of(planes, options);
    write(input, planes, targets, asked, provenance);
    if (!session_.common.json) show(input, targets);
  }

 private:
  std::vector<tasks::Target> run(const tasks::SegmentInput& input, const tasks::Planes& planes,
                                 const tasks::SegmentOptions& options) const {
    Progress progress("Segmenting", planes.count(), session_.common.quiet);
    return tasks::segment(*model_, input, planes, options, [&](int64_t slices) {
      progress.advance(slices);
      if (stop_requested()) fail(ErrorCode::kFailed, "stopped; nothing was written of this input.");
    });
  }

  /// Version 1 has no other evidence.
  void tell_of_no_statistic(const std::string& path, const Kind& kind,
                            const std::vector<tasks::Target>& targets) const {
    std::string without;
    for (const auto& target : targets)
      if (!target.p_value) without += (without.empty() ? "'" : ", '") + target.prompt + "'";
    if (without.empty()) return;
    const std::string why =
        kind.key.empty()
            ? ": the kind of image is not known. Say it with --modality."
            : " in " + kind.key + ". `vesalius train existence` makes one from your own masks.";
    remark(session_, path + ": what was found of " + without +
                         " is kept; there is no statistic of its existence" + why);
  }

  Json provenance_of(const tasks::Planes& planes, const tasks::SegmentOptions& options) const {
    recipes::Recipe recipe{.name = catalog::parse_recipe(model_->version())};
    recipe.parameters = {{"intensity", planes.intensity().name},
                         {"prompts_together", options.company == catalog::Company::kTogether},
                         {"slice_batch", options.slice_batch}};
    if (model_->version() == 1) recipe.parameters["existence"] = command_.existence_used;
    if (model_->version() == 2) {
      recipe.parameters["seed"] = options.seed;
      recipe.parameters["samples"] = options.samples;
    }
    return catalog::provenance(*model_, recipe);
  }

  void write(const tasks::SegmentInput& input, const tasks::Planes& planes,
             const std::vector<tasks::Target>& targets, const Asked& asked,
             const Json& provenance) {
    std::string lines;
    for (const auto& target : targets)
      lines += dump_json(json_of(input, target, provenance)) + "\n";
    if (session_.common.json) print(lines.substr(0, lines.size() - 1));
    if (session_.common.output.empty()) return;
    results::SegmentFiles files{.folder = session_.common.output,
                                .stem = unused_name(stems_, stem_of(input.path)),
                                .formats = command_.formats.empty()
                                               ? results::default_formats(input)
                                               : results::segment_formats(command_.formats),
                                .algorithm = {.name = model_->card().name,
                                              .version = model_->weights_sha256().substr(0, 16),
                                              .parameters = dump_json(provenance)},
                                .numbers = asked.numbers};
    const auto written = results::write_segment_files(input, planes, targets, files);
    if (!written.note.empty()) remark(session_, input.path + ": " + written.note);
    for (const auto& path : written.files) session_.outputs.push_back(path.string());
    if (!files.formats.contains("json")) return;
    const auto path = files.folder / (files.stem + ".jsonl");
    write_file(path, lines);
    session_.outputs.push_back(path.string());
  }

  Session& session_;
  const SegmentCommand& command_;
  std::unique_ptr<catalog::SegmentationModel> model_;
  std::set<std::string> stems_;  // of files written
};

int run_segment(Session& session, SegmentCommand command) {
  command.options.seed = session.common.seed;
  command.options.seeded_draws = command.uniforms == "seeded";
  command.options.probabilities = command.probabilities;
  command.options.company =
      command.isolated ? catalog::Company::kIsolated : catalog::Company::kTogether;
  if (command.fill_gaps) command.input.series.gaps = media::Gaps::kFill;
  for (const auto& joined : command.prompts) tasks::split_prompts(joined);
  if (!command.formats.empty()) results::segment_formats(command.formats);
  command.existence_used = "published";
  if (!command.existence.empty()) {
    command.own_existence = tasks::read_existence(command.existence);
    command.existence_used = sha256(read_text(command.existence));
    command.options.existence =
        tasks::with_targets(tasks::published_existence(), command.own_existence);
  }
  notice(session);
  Segmenter segmenter(session, command);
  int failed = 0;
  for (const auto& path : command.inputs) {
    try {
      segmenter.see(path);
    } catch (const Error& problem) {
      if (command.inputs.size() == 1 || stop_requested()) throw;
      warn(problem.what());
      ++failed;
    }
  }
  for (const auto& path : session.outputs) remark(session, "wrote " + path);
  return failed > 0 ? static_cast<int>(ErrorCode::kSomeFailed) : 0;
}

void add_segment(CLI::App& app, Session& session) {
  auto c = std::make_shared<SegmentCommand>();
  auto* command =
      add_command(app, session,
                  {"segment",
                   "Masks from words, on images and volumes",
                   {"vesalius segment ct/ --prompt 'liver & spleen' --format seg,nifti -o out/",
                    "vesalius segment film.png --prompt 'left lung & right lung' --json -o out/"}},
                  [&session, c] { return run_segment(session, *c); });
  command
      ->add_option("INPUT", c->inputs,
                   "Images (PNG, JPEG, TIFF, DICOM), folders with one DICOM series, NIfTI, npz")
      ->required();
  command->add_option("--prompt", c->prompts,
                      "Targets in words, separated by '&'; repeatable. An npz may bring its own");
  command->add_flag("--all", c->all,
                    "Every target known for this modality and site, beside those of --prompt");
  command->add_option("--format", c->formats,
                      "Of -o: seg, rtstruct, nifti, png, npz, json. Default: by the input");
  command->add_option("--modality", c->kind,
                      "Kind of image, as CT-Abdomen: for --all and the existence statistic");
  command
      ->add_option("--existence", c->existence,
                   "Existence statistics of your own targets, from `vesalius train existence`, "
                   "over the published ones (version 1)")
      ->type_name("FILE");
  command
      ->add_option("--intensity", c->intensity,
                   "Window or percentiles of a volume: auto, a name, or CENTER/WIDTH")
      ->capture_default_str();
  command->add_flag("--isolated", c->isolated, "Prompts do not see each other");
  command->add_flag("--overlapping", c->options.overlapping,
                    "Masks of a volume may share voxels (the published way: they don't)");
  command
      ->add_option("--samples", c->options.samples,
                   "Runs of a drawing model that are averaged; above 1 with uncertainty maps")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_flag("--probabilities", c->probabilities,
                    "Also probability maps; SEG becomes fractional");
  command->add_option("--slice-batch", c->options.slice_batch, "Slices a pass")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->add_option("--uniforms", c->uniforms, "Where a model's draws come from")
      ->check(CLI::IsMember({"generator", "seeded"}))
      ->capture_default_str();
  command->add_flag("--as-is", c->as_is, "Slice volumes as they are stored, not turned");
  command->add_option("--frame", c->input.frame, "Of a multi-frame picture")->capture_default_str();
  command->add_option("--series", c->input.series.series_uid, "SeriesInstanceUID, of several");
  command->add_flag("--fill-gaps", c->fill_gaps,
                    "Missing slices of a series count as empty, with a remark; else they stop it");
}

const Registration kSegment{12, add_segment};

}  // namespace
}  // namespace vesalius::cli
