// The frame that every command hangs in: common options, the session of one run, registration.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace vesalius::cli {

/// The options that every command takes. Every one, and every option of a command, can also be
/// given as an environment variable: VESALIUS_ and the option's long name in capitals, '-' as '_'.
struct CommonOptions {
  std::string model, recipe, device = "auto", precision = "auto";
  std::vector<std::string> recipe_parameters;  // KEY=VALUE
  int threads = 0;                             // 0: what the machine has
  uint64_t seed = 0;
  bool json = false, quiet = false;
  std::string output;      // -o
  std::string run_report;  // --run-report
};

/// One run of the program: what was asked, and what the chosen command will do.
struct Session {
  CommonOptions common;
  std::function<int()> action;       // set by parsing; gives the exit code
  std::string command;               // "index build"
  Json report = Json::object();      // a command's own facts for --run-report
  std::vector<std::string> outputs;  // files written, for --run-report
};

/// How a command shows itself. Two examples each, whole command lines without the prompt.
struct CommandText {
  std::string name, summary;
  std::vector<std::string> examples;
};

/// Adds a command with the common options. `action` runs after parsing and returns the exit code
/// (0, or kSomeFailed); it may throw Error. A command without action has subcommands of its own.
/// Keep a command's own options in a shared_ptr that `action` captures.
CLI::App* add_command(CLI::App& parent, Session& session, const CommandText& text,
                      std::function<int()> action = {});

/// Registers a command before main():  `const Registration kEmbed{10, add_embed};` at namespace
/// scope. `order` places it in --help: 10s run models, 20s search, 30s train and evaluate, 40s
/// catalog, 50s the rest.
using AddCommand = void (*)(CLI::App& app, Session& session);
struct Registration {
  Registration(int order, AddCommand add);
};

/// The commands as registered, in order.
void add_registered_commands(CLI::App& app, Session& session);
/// Lets the options of the command that `arguments` choose be set in the environment, and of no
/// other: commands share the common options, and one not chosen would put the variable over what
/// was written.
void name_in_environment(CLI::App& app, const std::vector<std::string>& arguments);

/// One line of data on standard output. Error kFailed if it cannot be written (closed pipe, full
/// disk).
void print(const std::string& line);
/// A remark on standard error, unless -q.
void remark(const Session& session, const std::string& line);
/// The research-use notice, once a run, on standard error, unless -q.
void notice(const Session& session);

}  // namespace vesalius::cli
