// vesalius train existence: from outlined images to the existence statistic of their targets.
#include "base/progress.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/train_commands.h"
#include "results/json_line.h"
#include "tasks/existence_fit.h"

namespace vesalius::cli {
namespace {

struct ExistenceCommand {
  std::string data;
  tasks::ExistenceFitOptions options;
};

std::unique_ptr<catalog::SegmentationModel> open_version_1(const Session& session) {
  auto model = catalog::open_segmentation_model(
      session.common.model.empty() ? "biomedparse-v1" : session.common.model,
      {.device = session.common.device, .precision = session.common.precision});
  if (model->version() != 1)
    fail(ErrorCode::kModel,
         "{}: tells itself how surely a target is there and needs no statistic. That is of "
         "version 1: --model biomedparse-v1.",
         model->card().name);
  return model;
}

struct Material {
  std::vector<tasks::ExistenceExample> examples;
  size_t failed = 0;
};

/// An image that cannot be used is told of and left out, unless none can.
Material look_at_all(const Session& session, const catalog::SegmentationModel& model,
                     const ExistenceCommand& command) {
  const auto images = tasks::read_outlines(command.data);
  Material material;
  Progress progress("Segmenting", std::ssize(images), session.common.quiet);
  for (const auto& image : images) {
    if (stop_requested()) fail(ErrorCode::kFailed, "stopped; nothing was written.");
    try {
      for (auto& one : tasks::existence_examples(model, image, command.options))
        material.examples.push_back(std::move(one));
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kUsage || ++material.failed == images.size()) throw;
      warn(error.what());
    }
    progress.advance();
  }
  if (material.failed > 0)
    warn(fmt::format("{} of {} images could not be used.", material.failed, images.size()));
  return material;
}

Json json_of(const tasks::FittedExistence& row) {
  Json line{{"task", "existence"},   {"modality", row.kind},     {"target", row.target},
            {"outlined", row.there}, {"agreeing", row.agreeing}, {"kept", row.kept},
            {"absent", row.absent},  {"dropped", row.dropped}};
  if (!row.parameters) line["problem"] = row.problem;
  if (row.parameters)
    for (const auto& beta : *row.parameters) line["parameters"].push_back({beta.a, beta.b});
  return line;
}

void show(const tasks::FittedExistence& row) {
  if (!row.parameters)
    print(fmt::format("{}, {}: no statistic; {} outlined, {} of the model's masks agree. {}",
                      row.kind, row.target, row.there, row.agreeing, row.problem));
  else
    print(fmt::format("{}, {}: from {} masks; keeps {} of {} outlined, drops {} of {} absent",
                      row.kind, row.target, row.agreeing, row.kept, row.there, row.dropped,
                      row.absent));
}

tasks::ExistenceTable table_of(const std::vector<tasks::FittedExistence>& rows) {
  tasks::ExistenceTable table;
  for (const auto& row : rows)
    if (row.parameters) table[row.kind][row.target] = *row.parameters;
  return table;
}

int run_train_existence(Session& session, const ExistenceCommand& command) {
  const fs::path file = session.common.output;
  if (file.extension() != ".json")
    fail(ErrorCode::kUsage, "say where the parameters go: -o existence.json{}.",
         file.empty() ? "" : ", not " + file.string());
  notice(session);
  const auto model = open_version_1(session);
  const auto material = look_at_all(session, *model, command);
  const auto rows = tasks::fit_existence(material.examples);
  recipes::Recipe recipe{.name = catalog::parse_recipe(model->version())};
  recipe.parameters = {{"intensity", command.options.intensity},
                       {"prompts_together", false},
                       {"agreement", command.options.agreement}};
  const Json provenance = catalog::provenance(*model, recipe);
  for (const auto& row : rows) {
    if (session.common.json) print(results::json_line(json_of(row), provenance));
    if (!session.common.json) show(row);
  }
  const auto table = table_of(rows);
  if (table.empty())
    fail(ErrorCode::kUnsupported,
         "{}: no target has three different masks that agree with their outlines, so there is "
         "nothing to write. Outline more images, or lower --agreement.",
         command.data);
  write_file(file, tasks::existence_json(table));
  session.outputs.push_back(file.string());
  remark(session, fmt::format("Wrote {}. Try: vesalius segment IMAGE --modality '{}' --all "
                              "--existence {}",
                              file.string(), table.begin()->first, file.string()));
  const bool some = material.failed > 0 || std::ranges::any_of(rows, [](const auto& row) {
                      return !row.parameters.has_value();
                    });
  return some ? static_cast<int>(ErrorCode::kSomeFailed) : 0;
}

}  // namespace

void add_train_existence(CLI::App& train, Session& session) {
  auto c = std::make_shared<ExistenceCommand>();
  auto* command = add_command(
      train, session,
      {"existence",
       "What version 1's masks of your own targets look like: Beta parameters for segment "
       "--existence",
       {"vesalius train existence --model biomedparse-v1 --data outlined/ -o existence.json",
        "vesalius train existence --data ct.csv --modality CT-Pelvis -o existence.json --json"}},
      [&session, c] { return run_train_existence(session, *c); });
  command
      ->add_option("--data", c->data,
                   "Folder with train/ and train_mask/, or a CSV with image, prompt, mask, kind")
      ->required();
  command->add_option("--modality", c->options.kind,
                      "Kind of all images, as CT-Abdomen or a name of your own; default: each "
                      "image's");
  command
      ->add_option("--intensity", c->options.intensity,
                   "Window or percentiles of volumes: auto, a name, or CENTER/WIDTH")
      ->capture_default_str();
  command
      ->add_option("--agreement", c->options.agreement,
                   "Dice with its outline from which a mask is an example")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
}

}  // namespace vesalius::cli
