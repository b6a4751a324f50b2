#include "cli/command.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/progress.h"
#include "base/version.h"

namespace vesalius::cli {
namespace {

struct Registered {
  int order;
  AddCommand add;
};

std::vector<Registered>& registry() {
  static std::vector<Registered> commands;
  return commands;
}

void add_common(CLI::App& command, CommonOptions& common) {
  const char* group = "Common options";
  const auto text = [&](const char* name, std::string& value, const char* help) {
    return command.add_option(name, value, help)->group(group);
  };
  text("--model", common.model, "A model's name, or a folder in a published layout")
      ->type_name("NAME|FOLDER");
  text("--device", common.device, "auto, cpu, cuda or cuda:N")->capture_default_str();
  text("--precision", common.precision, "auto, fp32, bf16 or fp16")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "fp32", "bf16", "fp16", "int8", "int4"}));
  text("--recipe", common.recipe, "How pixels are prepared; default: the model's own");
  command
      .add_option("--recipe-parameter", common.recipe_parameters, "Overrides one of the recipe's")
      ->type_name("KEY=VALUE")
      ->group(group);
  command.add_option("--threads", common.threads, "0: all cores")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024))
      ->group(group);
  command.add_option("--seed", common.seed, "For everything drawn at random")
      ->capture_default_str()
      ->group(group);
  command.add_flag("--json", common.json, "One JSON object a line on standard output")
      ->group(group);
  text("-o,--output", common.output, "Where to write; the extension chooses the format")
      ->type_name("PATH");
  command.add_flag("-q,--quiet", common.quiet, "No progress, notice or remarks; warnings stay")
      ->group(group);
  text("--run-report", common.run_report, "Write what ran, with what, on what, how long")
      ->type_name("FILE");
}

std::string footer(const std::vector<std::string>& examples) {
  std::string text = "Examples:\n";
  for (const auto& example : examples) text += "  " + example + "\n";
  return text +
         "\nEvery option can be set in the environment as well: --run-report as "
         "VESALIUS_RUN_REPORT.\n" +
         kResearchUse;
}

std::string environment_name(const std::string& option) {
  std::string name = "VESALIUS_" + option;
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return c == '-' ? '_' : static_cast<char>(std::toupper(c));
  });
  return name;
}

}  // namespace

Registration::Registration(int order, AddCommand add) { registry().push_back({order, add}); }

CLI::App* add_command(CLI::App& parent, Session& session, const CommandText& text,
                      std::function<int()> action) {
  CLI::App* command = parent.add_subcommand(text.name, text.summary);
  command->footer(footer(text.examples));
  if (!action) {
    command->require_subcommand(1);
    return command;
  }
  add_common(*command, session.common);
  const std::string full =
      parent.get_parent() == nullptr ? text.name : parent.get_name() + " " + text.name;
  command->callback([&session, full, action = std::move(action)] {
    session.command = full;
    session.action = action;
  });
  return command;
}

void add_registered_commands(CLI::App& app, Session& session) {
  auto commands = registry();
  std::stable_sort(commands.begin(), commands.end(),
                   [](const Registered& a, const Registered& b) { return a.order < b.order; });
  for (const auto& command : commands) command.add(app, session);
}

void name_in_environment(CLI::App& app, const std::vector<std::string>& arguments) {
  CLI::App* chosen = &app;
  for (const auto& word : arguments)
    for (CLI::App* child :
         chosen->get_subcommands([&](const CLI::App* c) { return c->get_name() == word; }))
      chosen = child;
  for (CLI::Option* option : chosen->get_options()) {
    const auto& names = option->get_lnames();
    if (!names.empty() && names[0] != "help") option->envname(environment_name(names[0]));
  }
}

void print(const std::string& line) {
  const std::string text = line + "\n";
  // Whoever reads a pipe wants each answer when it is there.
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    fail(ErrorCode::kFailed, "standard output: writing stopped ({}).", std::strerror(errno));
}

void remark(const Session& session, const std::string& line) {
  if (!session.common.quiet) warn(line);
}

void notice(const Session& session) {
  static bool shown = false;
  if (!shown) remark(session, kResearchUse);
  shown = true;
}

}  // namespace vesalius::cli
