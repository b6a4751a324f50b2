// `vesalius models`: the catalog.
#include <algorithm>
#include <array>

#include "base/progress.h"
#include "catalog/install.h"
#include "catalog/random.h"
#include "catalog/verify.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/signals.h"

namespace vesalius::cli {
namespace {

constexpr int64_t kMegabyte = 1'000'000;

/// Progress in megabytes; a signal ends the work, which then leaves nothing behind.
std::function<void(int64_t)> watch_bytes(const Session& session, const char* what, int64_t total) {
  auto progress = std::make_shared<Progress>(what, total / kMegabyte, session.common.quiet);
  return [progress, bytes = int64_t{0}](int64_t more) mutable {
    if (stop_requested()) fail(ErrorCode::kFailed, "stopped; nothing was left behind.");
    const int64_t before = bytes / kMegabyte;
    bytes += more;
    progress->advance(bytes / kMegabyte - before, "MB");
  };
}

std::string state_of(const catalog::Card& card) {
  if (card.folder.empty()) return "not installed";
  if (card.seeded) return "seeded";
  return card.starter ? "starter" : "installed";
}

Json summary_of(const catalog::Card& card) {
  return {{"name", card.name},
          {"title", card.title},
          {"state", state_of(card)},
          {"folder", card.folder.empty() ? Json() : Json(card.folder.string())},
          {"family", card.family},
          {"recipe", card.recipe},
          {"licence", card.licence},
          {"publisher", card.publisher},
          {"seeded", card.seeded},
          {"starter", card.starter}};
}

int run_list(Session& session) {
  const auto cards = catalog::list_cards();
  if (session.common.json) {
    for (const auto& card : cards) print(dump_json(summary_of(card)));
    return 0;
  }
  size_t name = 4, recipe = 6;
  for (const auto& card : cards) {
    name = std::max(name, card.name.size());
    recipe = std::max(recipe, card.recipe.size());
  }
  print(fmt::format("{:{}}  {:13}  {:{}}  {}", "name", name, "state", "recipe", recipe, "title"));
  for (const auto& card : cards)
    print(fmt::format("{:{}}  {:13}  {:{}}  {}", card.name, name, state_of(card), card.recipe,
                      recipe, card.title));
  return 0;
}

/// "files.weights.bytes    2464060700", a line a value.
void print_details(const Json& value, const std::string& path) {
  if (!value.is_object()) {
    print(fmt::format("{:<28}  {}", path,
                      value.is_string() ? value.get<std::string>() : dump_json(value)));
    return;
  }
  for (const auto& [key, inner] : value.items())
    print_details(inner, path.empty() ? key : fmt::format("{}.{}", path, key));
}

catalog::Card card_of(const std::string& name) {
  if (auto card = catalog::find_card(name)) return std::move(*card);
  std::error_code ignored;
  if (fs::is_directory(name, ignored)) return catalog::card_of_package(catalog::find_package(name));
  fail(ErrorCode::kModel, "there is no model '{}'. `vesalius models list` shows all.", name);
}

int run_show(Session& session, const std::string& name) {
  const auto card = card_of(name);
  Json details = summary_of(card);
  for (const auto& [key, value] : card.details.items()) details[key] = value;
  if (session.common.json)
    print(dump_json(details));
  else
    print_details(details, "");
  return 0;
}

struct AddOptions {
  std::string name, from;
  bool link = false;
};

int run_add(Session& session, const AddOptions& options) {
  const auto package = catalog::package_to_install(options.name, options.from);
  const auto added = catalog::install_package(
      options.name, options.from,
      {.link = options.link,
       .advance = watch_bytes(session, "Adding", catalog::install_work(package))});
  if (session.common.json) {
    Json line = summary_of(added.card);
    line["weights_sha256"] = added.weights_sha256;
    line["remark"] = added.remark;
    print(dump_json(line));
  } else {
    print(fmt::format("{} is in {}", added.card.name, added.card.folder.string()));
    print(fmt::format("weights SHA-256 {}", added.weights_sha256));
    if (!added.remark.empty()) print(added.remark);
  }
  return 0;
}

struct RandomOptions {
  std::string name, size = "full";
  std::vector<std::string> gains;
};

int run_random(Session& session, const RandomOptions& options) {
  if (session.common.output.empty())
    fail(ErrorCode::kUsage, "models random: -o FOLDER says where to write.");
  Seeding seeding{.seed = session.common.seed, .gains = {}};
  for (const auto& gain : options.gains) seeding.gains.push_back(parse_gain(gain));
  const auto made = catalog::write_seeded_package(
      options.name, options.size, seeding, session.common.output,
      watch_bytes(session, "Writing", catalog::seeded_work(options.size, options.name)));
  session.outputs.push_back(session.common.output);
  if (session.common.json) {
    print(dump_json(Json{{"name", options.name},
                         {"seeded", true},
                         {"seed", seeding.seed},
                         {"size", options.size},
                         {"gains", options.gains},
                         {"folder", made.folder.string()},
                         {"weights", made.weights.string()},
                         {"weights_bytes", made.bytes},
                         {"weights_sha256", made.sha256},
                         {"tensors", made.tensors}}));
    return 0;
  }
  print(fmt::format("{}: {} tensors, {} bytes", made.weights.string(), made.tensors, made.bytes));
  print(fmt::format("weights SHA-256 {}", made.sha256));
  print("Seeded, not trained: every result of it says so.");
  return 0;
}

Json json_of(const catalog::Verification& verified) {
  Json checks = Json::array();
  for (const auto& check : verified.checks)
    checks.push_back({{"what", check.what},
                      {"passed", check.passed},
                      {"max_rel_diff", check.difference},
                      {"limit", check.limit},
                      {"note", check.note}});
  return {{"model", verified.card.name},
          {"passed", verified.passed()},
          {"weights_sha256", verified.weights_sha256},
          {"seeded", verified.card.seeded},
          {"reference", verified.reference.empty() ? Json() : Json(verified.reference)},
          {"checks", checks}};
}

void print_checks(const catalog::Verification& verified) {
  print(fmt::format("{:48}  {:>10}  {:>8}  {}", "check", "difference", "limit", "result"));
  for (const auto& check : verified.checks) {
    const bool number = check.limit > 0;
    print(fmt::format("{}  {:>10}  {:>8}  {}{}", fitted(check.what, 48),
                      number ? fmt::format("{:.1e}", check.difference) : "",
                      number ? fmt::format("{:.0e}", check.limit) : "",
                      check.passed ? "pass" : "FAIL",
                      check.note.empty() ? "" : " (" + check.note + ")"));
  }
  print(verified.reference.empty()
            ? "No outputs are stored for these weights: nothing to compare with."
            : "Outputs stored by: " + verified.reference);
}

int run_verify(Session& session, const std::string& name) {
  const auto verified = catalog::verify_model(
      name.empty() ? session.common.model : name,
      {.device = session.common.device, .precision = session.common.precision});
  session.report["verification"] = json_of(verified);
  if (session.common.json)
    print(dump_json(json_of(verified)));
  else
    print_checks(verified);
  if (!verified.passed())
    fail(ErrorCode::kModel,
         "{}: does not give what it should on this machine. Add the model again from its published "
         "files.",
         verified.card.folder.string());
  return 0;
}

int run_rm(Session& session, const std::string& name) {
  catalog::remove_package(name);
  if (session.common.json)
    print(dump_json(Json{{"name", name}, {"removed", true}}));
  else
    print(fmt::format("{} was removed", name));
  return 0;
}

void add_list(CLI::App& parent, Session& session) {
  add_command(parent, session,
              {"list",
               "Every model the program knows, and where it is",
               {"vesalius models list", "vesalius models list --json"}},
              [&session] { return run_list(session); });
}

/// A verb that takes one name.
void add_named(CLI::App& parent, Session& session, const CommandText& text, const char* about,
               int (*run)(Session&, const std::string&)) {
  auto name = std::make_shared<std::string>();
  auto* command =
      add_command(parent, session, text, [&session, name, run] { return run(session, *name); });
  command->add_option("NAME", *name, about)->required();
}

void add_add(CLI::App& parent, Session& session) {
  auto options = std::make_shared<AddOptions>();
  auto* command = add_command(parent, session,
                              {"add",
                               "Check a published package whole and install it",
                               {"vesalius models add medimageinsight --from MedImageInsights/",
                                "vesalius models add biomedparse-v2 --from BiomedParse/",
                                "vesalius models add mine --from fine-tuned/ --link"}},
                              [&session, options] { return run_add(session, *options); });
  command->add_option("NAME", options->name, "What --model shall call it")->required();
  command
      ->add_option("--from", options->from,
                   "The published folder: an MLflow package, a mirror, or the weights' own folder")
      ->type_name("FOLDER")
      ->required();
  command->add_flag("--link", options->link, "Hard-link the weights instead of copying them");
}

void add_random(CLI::App& parent, Session& session) {
  auto options = std::make_shared<RandomOptions>();
  auto* command = add_command(
      parent, session,
      {"random",
       "A package in the published layout with seeded weights, for tests and benchmarks",
       {"vesalius models random medimageinsight --seed 7 -o seeded/",
        "vesalius models random biomedparse-v2 --seed 7 -o seeded/",
        "vesalius models random medimageinsight --seed 7 --size tiny --gain dw.weight=0.125 -o "
        "tiny/"}},
      [&session, options] { return run_random(session, *options); });
  command
      ->add_option("NAME", options->name,
                   "Which model's architecture: medimageinsight, rad-dino, biomedparse-v1, "
                   "biomedparse-v2, medimageparse, medimageparse3d, maira-2 or cxrreportgen")
      ->required();
  command->add_option("--size", options->size, "full, or tiny: a model of a few megabytes")
      ->capture_default_str();
  command
      ->add_option("--gain", options->gains,
                   "Multiply every tensor whose name ends in SUFFIX by a power of two (repeatable)")
      ->type_name("SUFFIX=FACTOR");
}

void add_models(CLI::App& app, Session& session) {
  auto* parent = add_command(
      app, session,
      {"models",
       "The catalog: list, show, add, verify, make and remove models",
       {"vesalius models list", "vesalius models add medimageinsight --from MedImageInsights/"}});
  add_list(*parent, session);
  add_named(*parent, session,
            {"show",
             "A model's card: publisher, licence, files, recipe, use, limits, figures",
             {"vesalius models show medimageinsight", "vesalius models show FOLDER --json"}},
            "Name, or the folder of a package", run_show);
  add_add(*parent, session);
  add_named(*parent, session,
            {"verify",
             "Hash the weights and compute the stored outputs again on this machine",
             {"vesalius models verify medimageinsight", "vesalius models verify seeded/ --json"}},
            "Name, or the folder of a package", run_verify);
  add_random(*parent, session);
  add_named(*parent, session,
            {"rm",
             "Remove an installed model",
             {"vesalius models rm medimageinsight", "vesalius models rm mine --json"}},
            "Name, as `models list` has it", run_rm);
}

const Registration kModels{40, add_models};

}  // namespace
}  // namespace vesalius::cli
