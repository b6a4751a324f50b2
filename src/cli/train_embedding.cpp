// vesalius train embedding: from image-text pairs to a model folder.
#include "tasks/train_embedding.h"
#include "base/progress.h"
#include "base/version.h"
#include "catalog/config_yaml.h"
#include "catalog/open.h"
#include "cli/command.h"
#include "cli/signals.h"
#include "cli/train_commands.h"
#include "cli/train_files.h"
#include "text/clip_files.h"

namespace vesalius::cli {
namespace {

struct TrainCommand {
  std::string manifest, validation, images_tsv, texts_tsv, config, tokenizer, name,
      augment = "published";
  std::string store_as = "fp32";
  tasks::TrainOptions options;
};

/// The model being trained, whether opened or begun from nothing.
struct Start {
  std::shared_ptr<TensorStore> store;
  std::unique_ptr<models::MedImageInsight> model;
  fs::path tokenizer;
  std::string from;  // for the new card
};

/// The tokenizer folder named, or CLIP's own written from the catalog's merges.
fs::path tokenizer_folder(const TrainCommand& command, const fs::path& output) {
  if (!command.tokenizer.empty()) return command.tokenizer;
  fs::path folder = output / "language_model" / "clip_tokenizer";
  text::write_clip_tokenizer(folder, catalog::catalog_folder() / "clip" / "merges.txt");
  return folder;
}

Start begin(const Session& session, const TrainCommand& command) {
  Start start;
  if (command.config.empty()) {
    auto opened = catalog::open_package(catalog::model_folder(session.common.model));
    // The file's mapping is read-only; training needs tensors of its own.
    std::map<std::string, at::Tensor> own;
    for (const auto& [name, tensor] : opened.store->taken()) own[name] = tensor.clone();
    start.store = std::make_shared<TensorStore>(opened.store->source(), std::move(own));
    start.model = std::make_unique<models::MedImageInsight>(Weights(start.store), opened.config);
    start.tokenizer = opened.package.tokenizer;
    start.from = catalog::card_of_package(opened.package).name;
    return start;
  }
  start.store = TensorStore::initialised(session.common.seed);
  start.model = std::make_unique<models::MedImageInsight>(Weights(start.store),
                                                          catalog::read_config(command.config));
  start.tokenizer = tokenizer_folder(command, session.common.output);
  return start;
}

tasks::PairSet training_pairs(const TrainCommand& command) {
  if (command.manifest.empty() == command.images_tsv.empty())
    fail(ErrorCode::kUsage,
         "name the pairs once: --manifest FILE, or --images-tsv FILE with --texts-tsv FILE.");
  return command.manifest.empty() ? tasks::read_pair_tsv(command.images_tsv, command.texts_tsv)
                                  : tasks::read_pairs(command.manifest);
}

Json new_card(const Session& session, const TrainCommand& command, const Start& start,
              const tasks::TrainResult& result) {
  Json card{{"name", command.name.empty() ? fs::path(session.common.output).filename().string()
                                          : command.name},
            {"family", "medimageinsight"},
            {"title", "Trained with vesalius train embedding"},
            {"recipe", session.common.recipe.empty() ? "vesalius" : session.common.recipe},
            {"limits", "Not evaluated beyond its own training. Research use only."}};
  card["training"] = {
      {"program", std::string("vesalius ") + version()},
      {"seed", static_cast<int64_t>(session.common.seed)},
      {"steps", result.steps},
      {"manifest", fs::path(command.manifest.empty() ? command.images_tsv : command.manifest)
                       .filename()
                       .string()}};
  if (!start.from.empty()) card["training"]["started_from"] = start.from;
  return card;
}

void finish(Session& session, const TrainCommand& command, const Start& start,
            tasks::TrainResult& result) {
  const fs::path folder = session.common.output;
  if (command.store_as == "fp16")
    for (auto& [name, tensor] : result.weights) tensor = tensor.to(at::kHalf);
  catalog::write_package(folder, start.model->config, result.weights, start.tokenizer,
                         new_card(session, command, start, result));
  session.outputs.push_back(folder.string());
  remark(session,
         fmt::format(
             "Wrote the model to {}. Try: vesalius classify IMAGE --model {} --labels \"a, b\"",
             folder.string(), folder.string()));
}

int run_train(Session& session, TrainCommand command) {
  const fs::path folder = session.common.output;
  auto& options = command.options;
  set_loop_options(session, options);
  options.augmentation = tasks::make_augmentation(command.augment);
  notice(session);
  keep_freed_memory();
  const tasks::PairSet training = training_pairs(command);
  const tasks::PairSet validation =
      command.validation.empty() ? tasks::PairSet{} : tasks::read_pairs(command.validation);
  const Start start = begin(session, command);
  const auto tokenizer = text::ClipTokenizer::load(start.tokenizer);
  TrainFiles log(session, folder, options.resume);
  auto result = tasks::train_embedding(
      {.model = *start.model,
       .store = *start.store,
       .tokenizer = tokenizer,
       .recipe = recipes::make_recipe(session.common.recipe.empty() ? "vesalius"
                                                                    : session.common.recipe)},
      training, validation, options,
      [&](const Json& line) {
        log.add(line);
        if (line.contains("validation_loss"))
          remark(session,
                 fmt::format("epoch {:.0f}: validation loss {:.3f}, top-1 {:.3f}",
                             line["epoch"].get<double>(), line["validation_loss"].get<double>(),
                             line["validation_top1"].get<double>()));
      },
      stop_requested);
  log.write();
  if (!result.finished) {
    warn(fmt::format("Stopped at step {}; nothing is lost. The same command with --resume goes on.",
                     result.steps));
    return signal_exit_code();
  }
  finish(session, command, start, result);
  return 0;
}

void add_train_options(CLI::App& app, TrainCommand& c) {
  app.add_option("--manifest", c.manifest,
                 "CSV or JSON Lines with path and text (or texts, separated by '|')");
  app.add_option("--images-tsv", c.images_tsv, "Published layout: name, tab, base64 image");
  app.add_option("--texts-tsv", c.texts_tsv, "Its other half: name, tab, {\"class_name\": …}");
  app.add_option("--validation", c.validation,
                 "A manifest that is only measured, after every epoch");
  app.add_option(
      "--config", c.config,
      "Train from nothing a model of this config.yaml, instead of going on from --model");
  app.add_option("--tokenizer", c.tokenizer,
                 "Folder with vocab.json and merges.txt; default: CLIP's");
  app.add_option("--name", c.name, "The new model's name; default: that of the folder");
  auto& o = c.options;
  add_loop_options(app, o, c.store_as);
  app.add_option("--batch", o.batch, "Images a step")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  app.add_option("--text-rate", o.text_rate,
                 "Share of it for the text tower; from nothing, on few texts: 0.1")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--balance", o.balance,
                 "0: every image once an epoch; 1: every set of texts equally often")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--augment", c.augment, "published; gentle or varied (for small sets); none")
      ->capture_default_str();
  app.add_option("--template", o.templates,
                 "Sentence around a text, with {}; one of several is drawn");
}

}  // namespace

void add_train_embedding(CLI::App& train, Session& session) {
  auto command = std::make_shared<TrainCommand>();
  command->options.log_every = 10;
  auto* embedding = add_command(
      train, session,
      {"embedding",
       "Image-text contrast (UniCL): fine-tunes --model, or trains --config from nothing",
       {"vesalius train embedding --model medimageinsight --manifest pairs.csv --validation "
        "held.csv "
        "--learning-rate 5e-6 --freeze '^lang_encoder' -o mine/",
        "vesalius train embedding --config small.yaml --manifest pairs.csv --augment gentle "
        "--balance 0.5 -o small/"}},
      [&session, command] { return run_train(session, *command); });
  add_train_options(*embedding, *command);
}

}  // namespace vesalius::cli
