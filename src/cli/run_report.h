// --run-report: what ran, with what, on what, how long.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "cli/command.h"

namespace vesalius::cli {

class RunReport {
 public:
  RunReport(const Session& session, std::vector<std::string> arguments);
  /// Writes the file that the session names, if it names one.
  void write(int exit_code) const;

 private:
  const Session& session_;
  std::vector<std::string> arguments_;
  std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
  std::chrono::steady_clock::time_point clock_ = std::chrono::steady_clock::now();
};

}  // namespace vesalius::cli
