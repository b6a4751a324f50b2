// vesalius train report: from films and their reports to a model folder.
#include "tasks/train_report.h"

#include "base/version.h"
#include "catalog/report_package.h"
#include "catalog/toml.h"
#include "catalog/vision_architecture.h"
#include "checkpoint/safetensors.h"
#include "cli/signals.h"
#include "cli/train_commands.h"
#include "cli/train_files.h"
#include "text/bpe_trainer.h"

namespace vesalius::cli {
namespace {

struct ReportCommand {
  std::string data, validation, config, name, part = "lora", store_as = "fp32";
  bool plain = false;
  tasks::ReportTrainOptions options;
};

struct Start {
  tasks::ReportTrainee trainee;
  Json tokenizer;    // the file
  std::string from;  // for the new card
};

/// What the tokenizer of a new model learns from: what it will read and write.
std::vector<std::string> lines_of(const std::vector<tasks::ReportRow>& rows) {
  std::vector<std::string> lines;
  for (const auto& row : rows) {
    lines.push_back(row.findings);
    for (const auto& sentence : row.sentences) lines.push_back(sentence.text);
    if (!row.frontal.empty()) lines.push_back(text::report_prompt(row.task(), row.context).text);
  }
  return lines;
}

text::Tokenizer load_tokenizer(const fs::path& folder, const Json& file) {
  const auto path = folder / "tokenizer.json";
  write_file(path, dump_json(file, 1) + "\n");
  return text::Tokenizer::load(path);
}

/// A --config has the tables of a config.json as TOML, and `vocabulary`: how many tokens to learn.
Start from_nothing(const Session& session, const ReportCommand& command,
                   const std::vector<tasks::ReportRow>& rows) {
  const Json table = catalog::parse_toml(read_text(command.config), command.config);
  Start start;
  start.tokenizer = text::train_tokenizer(
      lines_of(rows),
      {.vocabulary_size = table.value("vocabulary", 2000), .added = text::maira2_added_tokens()});
  const auto tokenizer = load_tokenizer(session.common.output, start.tokenizer);
  auto& a = start.trainee.architecture;
  const Json sizes{{"image_token_index", *tokenizer.id_of(a.wording.image)},
                   {"text_config", {{"vocab_size", tokenizer.size()}}}};
  a.model = catalog::read_report_config(table, sizes, command.config);
  a.context = table.value("/text_config/max_position_embeddings"_json_pointer, int64_t{2048});
  a.stop = {*tokenizer.id_of(text::kEndPiece)};
  a.input = catalog::film_input(a.model.vision.image_size);
  const auto store = TensorStore::initialised(session.common.seed);
  const models::Maira2 model(Weights(store), a.model);
  for (const auto& [name, tensor] : store->taken()) start.trainee.tensors[name] = tensor;
  return start;
}

Start from_package(const Session& session) {
  const auto opened =
      catalog::open_report_package(catalog::report_model_folder(session.common.model));
  Start start{.tokenizer = read_json(opened.package.tokenizer / "tokenizer.json"),
              .from = catalog::card_of_package(opened.package).name};
  start.trainee.architecture = opened.architecture;
  // A file's mapping is read-only; training needs tensors of its own.
  for (const auto& [name, tensor] : opened.store->taken())
    start.trainee.tensors[name] = tensor.to(at::kFloat, /*non_blocking=*/false, /*copy=*/true);
  return start;
}

void write_examples(const fs::path& folder, int64_t epoch,
                    const std::vector<tasks::ReportExample>& examples) {
  std::string text;
  for (const auto& one : examples)
    text += fmt::format("{}\n  wrote: {}\n  truth: {}\n\n", one.film, one.written, one.truth);
  write_file(folder / "samples" / fmt::format("epoch_{:04}.txt", epoch), text);
}

Json new_card(const Session& session, const ReportCommand& command, const Start& start,
              const tasks::TrainResult& result) {
  Json card{{"name", command.name.empty() ? fs::path(session.common.output).filename().string()
                                          : command.name},
            {"family", "maira-2"},
            {"title", "Trained with vesalius train report"},
            {"recipe", "maira-2"},
            {"limits", "Not evaluated beyond its own training. Research use only."}};
  card["training"] = {{"program", std::string("vesalius ") + version()},
                      {"seed", static_cast<int64_t>(session.common.seed)},
                      {"steps", result.steps},
                      {"part", command.part},
                      {"data", fs::path(command.data).filename().string()}};
  if (!start.from.empty()) card["training"]["started_from"] = start.from;
  return card;
}

void finish(Session& session, const ReportCommand& command, const Start& start,
            tasks::TrainResult& result) {
  const fs::path folder = session.common.output;
  for (auto& [name, tensor] : result.weights)
    tensor = (command.store_as == "fp16" ? tensor.to(at::kHalf) : tensor).contiguous();
  catalog::write_report_files(folder, start.trainee.architecture, start.tokenizer);
  write_safetensors(folder / "model.safetensors", result.weights);
  write_file(folder / "card.toml", catalog::card_toml(new_card(session, command, start, result)));
  session.outputs.push_back(folder.string());
  remark(session, fmt::format("Wrote the model to {0}. Try: vesalius report FILM --model {0}",
                              folder.string()));
}

void say(const Session& session, const Json& line) {
  if (!line.contains("validation_loss")) return;
  std::string text =
      fmt::format("epoch {:.0f}: validation loss {:.3f}", line["epoch"].get<double>(),
                  line["validation_loss"].get<double>());
  if (line.contains("finding_f1"))
    text += fmt::format(", finding F1 {:.3f}, well-formed {:.0f} %",
                        line["finding_f1"].get<double>(), 100 * line["well_formed"].get<double>());
  remark(session, text);
}

tasks::ReportPart part_named(const std::string& name) {
  if (name == "all") return tasks::ReportPart::kAll;
  if (name == "language") return tasks::ReportPart::kLanguage;
  return name == "lora" ? tasks::ReportPart::kLowRank : tasks::ReportPart::kProjector;
}

int run_train_report(Session& session, ReportCommand command) {
  const fs::path folder = session.common.output;
  auto& options = command.options;
  set_loop_options(session, options);
  options.part = part_named(command.part);
  options.augmentation.on = !command.plain;
  notice(session);
  keep_freed_memory();
  auto training = tasks::read_report_rows(command.data);
  std::vector<tasks::ReportRow> validation;
  if (!command.validation.empty()) validation = tasks::read_report_rows(command.validation);
  Start start =
      command.config.empty() ? from_package(session) : from_nothing(session, command, training);
  const auto tokenizer = load_tokenizer(folder, start.tokenizer);
  start.trainee.tokenizer = &tokenizer;
  TrainFiles log(session, folder, options.resume);
  auto result = tasks::train_report(
      start.trainee, std::move(training), std::move(validation), options,
      [&](const Json& line) {
        log.add(line);
        say(session, line);
      },
      stop_requested,
      [&](int64_t epoch, const auto& examples) { write_examples(folder, epoch, examples); });
  log.write();
  if (!result.finished) {
    remark(session, fmt::format("Stopped at step {}; nothing is lost. The same command with "
                                "--resume goes on.",
                                result.steps));
    return signal_exit_code();
  }
  finish(session, command, start, result);
  return 0;
}

void add_options(CLI::App& app, ReportCommand& c) {
  app.add_option("--data", c.data,
                 "CSV or JSON Lines with frontal and findings and, where wanted, lateral, prior, "
                 "indication, technique, comparison, prior_report, phrase, weight")
      ->required();
  app.add_option("--validation", c.validation, "The same, only measured, after every epoch");
  app.add_option("--config", c.config,
                 "Train from nothing, not --model: a TOML with the tables of a config.json and "
                 "vocabulary, how many tokens to learn");
  app.add_option("--name", c.name, "The new model's name; default: that of the folder");
  app.add_option("--part", c.part,
                 "all; language: projector and language model; lora: projector, and updates of low "
                 "rank of the language model; projector")
      ->check(CLI::IsMember({"all", "language", "lora", "projector"}))
      ->capture_default_str();
  auto& o = c.options;
  add_loop_options(app, o, c.store_as);
  app.add_option("--rank", o.rank, "Of the low-rank updates")
      ->check(CLI::Range(1, 512))
      ->capture_default_str();
  app.add_option("--batch", o.batch, "Studies a step")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_option("--vision-rate", o.vision_rate, "Share of the rate for the image encoder")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--examples", o.examples, "Validation films written about after every epoch")
      ->check(CLI::Range(0, 10000))
      ->capture_default_str();
  app.add_flag("--no-augment", c.plain, "Films as they are: no turns, shifts or tones");
}

}  // namespace

void add_train_report(CLI::App& train, Session& session) {
  auto command = std::make_shared<ReportCommand>();
  command->options.learning_rate = 2.5e-5;
  command->options.optimizer.weight_decay = 0.01;
  auto* report = add_command(
      train, session,
      {"report",
       "Findings on chest films: fine-tunes --model, or trains --config from nothing",
       {"vesalius train report --model maira-2 --data films.csv --part lora -o mine/",
        "vesalius train report --config small.toml --data train.csv --validation test.csv --part "
        "all --learning-rate 1e-3 -o small/"}},
      [&session, command] { return run_train_report(session, *command); });
  add_options(*report, *command);
}

}  // namespace vesalius::cli
