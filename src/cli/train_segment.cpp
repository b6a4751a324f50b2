// vesalius train segment: from outlined images to a model folder.
#include "tasks/train_segment.h"
#include "base/version.h"
#include "catalog/parse_architecture.h"
#include "catalog/parse_open.h"
#include "catalog/parse_package.h"
#include "catalog/toml.h"
#include "checkpoint/safetensors.h"
#include "cli/signals.h"
#include "cli/train_commands.h"
#include "cli/train_files.h"
#include "results/overlay.h"
#include "results/png_file.h"

namespace vesalius::cli {
namespace {

constexpr int kSheetColumns = 4;

struct SegmentCommand {
  std::string data, validation, config, name, part = "all", store_as = "fp32";
  bool plain = false;
  int64_t side = 0;
  tasks::SegmentTrainOptions options;
};

struct Start {
  catalog::ParseArchitecture architecture;
  tasks::SegmentTrainee trainee;
  std::string from;  // for the new card
};

/// What --config says: `family`, and the sizes in [architecture].
catalog::ParseArchitecture read_config(const fs::path& file) {
  const Json table = catalog::parse_toml(read_text(file), file.string());
  const std::string name = table.value("family", std::string("biomedparse-v2"));
  if (catalog::family_named(name, file.string()).task != catalog::Task::kSegmentation)
    fail(ErrorCode::kUsage, "{}: '{}' is no family of segmentation models.", file.string(), name);
  const int version = catalog::parse_version({.family = name});
  Json sizes = table.value("architecture", Json::object());
  // BiomedBERT is stored in version 1's file and never called: no need to make one up.
  if (version == 1)
    for (const auto& [key, least] :
         {std::pair{"biomed_width", 1}, {"biomed_layers", 0}, {"biomed_vocabulary", 1}})
      if (!sizes.contains(key)) sizes[key] = least;
  return catalog::read_architecture(sizes, version, file.string());
}

Start begin(const Session& session, const SegmentCommand& command) {
  Start start;
  std::shared_ptr<TensorStore> store;
  if (command.config.empty()) {
    const auto opened = catalog::open_parse_package(catalog::model_folder(session.common.model));
    start.architecture = opened.architecture;
    start.from = catalog::card_of_package(opened.package).name;
    store = opened.store;
  } else {
    start.architecture = read_config(command.config);
    store = TensorStore::initialised(session.common.seed);
    catalog::make_parse_model(store, start.architecture);
  }
  // A file's mapping is read-only; training needs tensors of its own.
  for (const auto& [name, tensor] : store->taken())
    start.trainee.tensors[name] = tensor.to(at::kFloat, /*non_blocking=*/false, /*copy=*/true);
  start.trainee.architecture = start.architecture;
  if (command.side > 0) start.trainee.architecture.image_size = command.side;
  return start;
}

media::Image drawn(const tasks::SegmentExample& example) {
  const auto pixels = example.pixels.permute({1, 2, 0}).contiguous();
  media::Image image{.width = static_cast<int>(pixels.size(1)),
                     .height = static_cast<int>(pixels.size(0)),
                     .mode = media::Mode::kRgb};
  image.data.assign(pixels.const_data_ptr<uint8_t>(),
                    pixels.const_data_ptr<uint8_t>() + pixels.numel());
  const auto bytes = [](const at::Tensor& mask) { return mask.to(at::kByte).contiguous(); };
  const auto found = bytes(example.found), truth = bytes(example.truth);
  const auto span = [](const at::Tensor& mask) {
    return std::span(mask.const_data_ptr<uint8_t>(), static_cast<size_t>(mask.numel()));
  };
  results::draw_mask(image, span(found), {230, 80, 60});
  results::draw_border(image, span(truth), {60, 220, 90});
  return image;
}

/// Truth green, found red.
void write_examples(const fs::path& folder, int64_t epoch,
                    const std::vector<tasks::SegmentExample>& examples) {
  std::vector<media::Image> pictures;
  for (const auto& example : examples) pictures.push_back(drawn(example));
  results::write_png(folder / "samples" / fmt::format("epoch_{:04}.png", epoch),
                     results::contact_sheet(pictures, kSheetColumns));
}

Json new_card(const Session& session, const SegmentCommand& command, const Start& start,
              const tasks::TrainResult& result) {
  Json card{{"name", command.name.empty() ? fs::path(session.common.output).filename().string()
                                          : command.name},
            {"family", fmt::format("biomedparse-v{}", start.architecture.version)},
            {"title", "Trained with vesalius train segment"},
            {"limits", "Not evaluated beyond its own training. Research use only."}};
  card["architecture"] = catalog::write_architecture(start.architecture);
  card["training"] = {{"program", std::string("vesalius ") + version()},
                      {"seed", static_cast<int64_t>(session.common.seed)},
                      {"steps", result.steps},
                      {"part", command.part},
                      {"data", fs::path(command.data).filename().string()}};
  if (!start.from.empty()) card["training"]["started_from"] = start.from;
  return card;
}

void finish(Session& session, const SegmentCommand& command, const Start& start,
            tasks::TrainResult& result) {
  const fs::path folder = session.common.output;
  if (command.store_as == "fp16")
    for (auto& [name, tensor] : result.weights)
      if (!name.starts_with("pixel_")) tensor = tensor.to(at::kHalf);
  for (auto& [name, tensor] : result.weights) tensor = tensor.contiguous();
  write_safetensors(folder / catalog::kParseWeights, result.weights);
  write_file(folder / "card.toml", catalog::card_toml(new_card(session, command, start, result)));
  session.outputs.push_back(folder.string());
  remark(session, fmt::format("Wrote the model to {}. Try: vesalius segment IMAGE --model {} "
                              "--prompt \"liver & spleen\" -o out/",
                              folder.string(), folder.string()));
}

void say(const Session& session, const Json& line) {
  if (!line.contains("validation_dice")) return;
  std::string text = fmt::format("epoch {:.0f}: Dice {:.3f}", line["epoch"].get<double>(),
                                 line["validation_dice"].get<double>());
  if (line.contains("existence_auroc"))
    text += fmt::format(", present or absent AUROC {:.3f}", line["existence_auroc"].get<double>());
  for (const auto& [prompt, score] : line["targets"].items())
    text += fmt::format(
        "\n  {:32} Dice {:.3f}  NSD {:.3f}  HD95 {:>5}  ({} images)", prompt,
        score["dice"].get<double>(), score["nsd"].get<double>(),
        score.contains("hd95") ? fmt::format("{:.1f}", score["hd95"].get<double>()) : "–",
        score["images"].get<int64_t>());
  remark(session, text);
}

tasks::TrainedPart part_named(const std::string& name) {
  if (name == "decoder") return tasks::TrainedPart::kDecoder;
  return name == "lora" ? tasks::TrainedPart::kLowRank : tasks::TrainedPart::kAll;
}

int run_train_segment(Session& session, SegmentCommand command) {
  const fs::path folder = session.common.output;
  auto& options = command.options;
  set_loop_options(session, options);
  options.sampling.seed = options.seed;
  options.part = part_named(command.part);
  options.sampling.augmentation.on = !command.plain;
  notice(session);
  keep_freed_memory();
  const auto training = tasks::read_outlines(command.data, "train");
  std::vector<tasks::OutlinedImage> validation;
  if (!command.validation.empty()) validation = tasks::read_outlines(command.validation, "test");
  Start start = begin(session, command);
  const auto tokenizer = catalog::clip_tokenizer();
  start.trainee.tokenizer = &tokenizer;
  TrainFiles log(session, folder, options.resume);
  auto result = tasks::train_segment(
      start.trainee, training, validation, options,
      [&](const Json& line) {
        log.add(line);
        say(session, line);
      },
      stop_requested,
      [&](int64_t epoch, const auto& examples) { write_examples(folder, epoch, examples); });
  log.write();
  if (!result.finished) {
    remark(session,
           fmt::format("Stopped at step {}; nothing is lost. The same command with --resume goes "
                       "on.",
                       result.steps));
    return signal_exit_code();
  }
  finish(session, command, start, result);
  return 0;
}

void add_options(CLI::App& app, SegmentCommand& c) {
  app.add_option("--data", c.data,
                 "A folder in one of the published layouts (train/ and train_mask/; volumes with "
                 "class_prompts.json; what process_2D.py makes of these), or a CSV with image, "
                 "prompt, mask and, where wanted, kind, weight, label")
      ->required();
  app.add_option("--validation", c.validation,
                 "The same (of a folder test/ in place of train/), only measured, after every "
                 "epoch");
  app.add_option("--config", c.config,
                 "Train from nothing, not --model: a TOML with [architecture] and, for version 1, "
                 "family = \"biomedparse-v1\"");
  app.add_option("--name", c.name, "The new model's name; default: that of the folder");
  app.add_option("--part", c.part,
                 "all; decoder: backbone and text tower stay; lora: updates of low rank")
      ->check(CLI::IsMember({"all", "decoder", "lora"}))
      ->capture_default_str();
  auto& o = c.options;
  add_loop_options(app, o, c.store_as);
  app.add_option("--rank", o.rank, "Of the low-rank updates")
      ->check(CLI::Range(1, 512))
      ->capture_default_str();
  app.add_option("--side", c.side, "Pixels of training images; 0: the model's")
      ->capture_default_str();
  app.add_option("--batch", o.sampling.batch, "Images a step")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_option("--prompts", o.sampling.prompts, "Prompts an image")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--negatives", o.sampling.negatives, "Share of them that the image does not hold")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--balance", o.sampling.balance,
                 "0: every image alike; 1: every kind (modality and site) alike")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--backbone-rate", o.backbone_rate, "Share of it for the backbone")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--text-rate", o.text_rate, "Share of it for the text tower")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--drop-path", o.drop_path, "Stochastic depth of the backbone")
      ->check(CLI::Range(0.0, 0.9))
      ->capture_default_str();
  app.add_flag("--no-augment", c.plain, "Images as they are: no turns, crops, tones or mirroring");
}

}  // namespace

void add_train_segment(CLI::App& train, Session& session) {
  auto command = std::make_shared<SegmentCommand>();
  command->options.learning_rate = 1e-5;
  command->options.optimizer.weight_decay = 0.01;
  command->options.optimizer.clip = 5;
  command->options.log_every = 10;
  auto* segment = add_command(
      train, session,
      {"segment",
       "Masks from words (the published loss of BiomedParse v1 or v2): fine-tunes --model, or "
       "trains --config",
       {"vesalius train segment --model medimageparse --data outlined/ --validation outlined/ "
        "--part lora -o mine/",
        "vesalius train segment --config small.toml --data train.csv --learning-rate 1e-3 -o "
        "small/"}},
      [&session, command] { return run_train_segment(session, *command); });
  add_options(*segment, *command);
}

}  // namespace vesalius::cli
