#include "cli/run_report.h"

#include <fmt/chrono.h>
#include <sys/resource.h>

#include "base/version.h"
#include "cli/machine.h"

namespace vesalius::cli {
namespace {

std::string utc(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

Json resources() {
  struct rusage usage {};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return {{"peak_memory_mb", static_cast<double>(usage.ru_maxrss) / 1024.0},
          {"cpu_user_s", seconds(usage.ru_utime)},
          {"cpu_system_s", seconds(usage.ru_stime)}};
}

}  // namespace

RunReport::RunReport(const Session& session, std::vector<std::string> arguments)
    : session_(session), arguments_(std::move(arguments)) {}

void RunReport::write(int exit_code) const {
  if (session_.common.run_report.empty()) return;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - clock_;
  Json report = {{"program", "vesalius"},       {"version", version()},
                 {"command", session_.command}, {"arguments", arguments_},
                 {"started", utc(started_)},    {"seconds", took.count()},
                 {"exit_code", exit_code},      {"seed", session_.common.seed}};
  report["machine"] = machine_facts();
  report["resources"] = resources();
  report["outputs"] = session_.outputs;
  report.update(session_.report);
  report["research_use_only"] = true;
  write_file(session_.common.run_report, dump_json(report, 2) + "\n");
}

}  // namespace vesalius::cli
