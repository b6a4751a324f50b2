#include "cli/program.h"

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "base/progress.h"
#include "base/version.h"
#include "cli/command.h"
#include "cli/run_report.h"
#include "cli/signals.h"

namespace vesalius::cli {
namespace {

constexpr size_t kHelpColumn = 34;

std::unique_ptr<CLI::App> make_app(Session& session) {
  auto app = std::make_unique<CLI::App>(
      "Healthcare foundation models on your own hardware: embed, classify and search medical "
      "images.",
      "vesalius");
  app->set_version_flag("--version", std::string("vesalius ") + version());
  app->get_formatter()->column_width(kHelpColumn);
  app->require_subcommand(1);
  // Also before the command, as habit has it; shown with the commands, where all common options
  // are.
  app->add_flag("--json", session.common.json)->group("");
  app->add_flag("-q,--quiet", session.common.quiet)->group("");
  app->footer(std::string("Start here:\n  vesalius doctor\n  vesalius embed --help\n\n") +
              kResearchUse);
  add_registered_commands(*app, session);
  return app;
}

/// Damerau's distance would be kinder to swapped letters; for a hint, Levenshtein's is enough.
size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row.back();
}

std::string unknown_command(const CLI::App& app, const std::string& word) {
  std::string best;
  size_t distance = 3;  // farther than two letters is another word
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    const size_t d = edit_distance(word, command->get_name());
    if (d < distance) best = command->get_name();
    distance = std::min(distance, d);
  }
  return "vesalius: there is no command '" + word + "'." +
         (best.empty() ? "" : " Did you mean '" + best + "'?") +
         " `vesalius --help` lists them all.";
}

bool has_command(const CLI::App& app, const std::string& word) {
  return !app.get_subcommands([&](const CLI::App* c) { return c->get_name() == word; }).empty();
}

/// Nothing to go on, else the exit code. Help and version go to standard output: they are what was
/// asked for.
std::optional<int> parse(CLI::App& app, const std::vector<std::string>& arguments) {
  if (!arguments.empty() && !arguments[0].starts_with("-") && !has_command(app, arguments[0])) {
    warn(unknown_command(app, arguments[0]));
    return static_cast<int>(ErrorCode::kUsage);
  }
  name_in_environment(app, arguments);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // last one first
  } catch (const CLI::Success& asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError& problem) {
    std::string path = "vesalius";
    for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
      at = at->get_subcommands().front();
      path += " " + at->get_name();
    }
    warn(path + ": " + problem.what() + "\n`" + path + " --help` shows what it takes.");
    return static_cast<int>(ErrorCode::kUsage);
  }
  return std::nullopt;
}

int say(ErrorCode code, const std::string& message) {
  warn("vesalius: " + message);
  return static_cast<int>(code);
}

int say_torch(const c10::Error& problem) {
  const std::string text = problem.what_without_backtrace();
  const bool memory = text.find("memory") != std::string::npos;
  const bool device = memory || text.find("CUDA") != std::string::npos;
  const std::string first = text.substr(0, text.find('\n'));
  return say(device ? ErrorCode::kDevice : ErrorCode::kFailed,
             first + (memory   ? " Try a smaller --batch or --device cpu."
                      : device ? " `vesalius doctor` says what this machine has."
                               : ""));
}

/// Runs `body` and turns what it throws into a message and an exit code.
int guarded(const std::function<int()>& body) {
  try {
    return body();
  } catch (const Error& problem) {
    return say(problem.code(), problem.what());
  } catch (const c10::Error& problem) {
    return say_torch(problem);
  } catch (const std::bad_alloc&) {
    return say(ErrorCode::kDevice, "there is not enough memory. Try a smaller --batch.");
  } catch (const std::exception& problem) {
    return say(ErrorCode::kFailed, problem.what());
  }
}

int run(const std::vector<std::string>& arguments, bool guard) {
  Session session;
  const auto app = make_app(session);
  if (const auto code = parse(*app, arguments)) return *code;
  if (session.common.threads > 0) at::set_num_threads(session.common.threads);
  RunReport report(session, arguments);
  int code = guard ? guarded(session.action) : session.action();
  if (std::fflush(stdout) != 0 && code == 0)
    code = say(ErrorCode::kFailed, "standard output could not be written whole.");
  if (signal_exit_code() != 0) code = signal_exit_code();
  const int written = guarded([&] { return report.write(code), 0; });
  return code != 0 ? code : written;
}

}  // namespace

int run_program(const std::vector<std::string>& arguments) {
  return guarded([&] { return run(arguments, true); });
}

int run_command(const std::vector<std::string>& arguments) { return run(arguments, false); }

}  // namespace vesalius::cli
