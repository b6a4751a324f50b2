// The whole program behind main(): parse, run, report, exit code.
#pragma once

#include <string>
#include <vector>

namespace vesalius::cli {

/// Runs one command line (without the program's name) and returns its exit code. Never throws.
int run_program(const std::vector<std::string>& arguments);

/// As run_program, but what the command throws is thrown on; for a command that runs another.
int run_command(const std::vector<std::string>& arguments);

}  // namespace vesalius::cli
