// vesalius trace COMMAND…: runs it and keeps every named stage's tensor.
#include "nn/trace.h"
#include "checkpoint/safetensors.h"
#include "cli/command.h"
#include "cli/program.h"

namespace vesalius::cli {
namespace {

/// Takes the last `-o X`, `--output X` or `--output=X` out of `arguments`; empty when there is
/// none.
std::string take_output(std::vector<std::string>& arguments) {
  for (size_t i = arguments.size(); i-- > 0;) {
    const std::string word = arguments[i];
    const auto at = arguments.begin() + static_cast<int64_t>(i);
    if (word.starts_with("--output=")) {
      arguments.erase(at);
      return word.substr(9);
    }
    if ((word != "-o" && word != "--output") || i + 1 == arguments.size()) continue;
    std::string value = arguments[i + 1];
    arguments.erase(at, at + 2);
    return value;
  }
  return "";
}

int run_trace(Session& session, std::vector<std::string> arguments) {
  std::string folder = session.common.output;
  if (folder.empty()) folder = take_output(arguments);
  if (folder.empty()) fail(ErrorCode::kUsage, "say where the tensors go: -o FOLDER.");
  if (arguments.empty())
    fail(ErrorCode::kUsage, "trace runs a command: vesalius trace -o FOLDER embed scan.png");
  if (arguments[0] == "trace") fail(ErrorCode::kUsage, "trace does not trace itself.");
  const nn::TraceSink sink;
  const int code = run_command(arguments);
  const fs::path file = fs::path(folder) / "trace.safetensors";
  write_safetensors(file, sink.tensors(), {{"arguments", dump_json(Json(arguments))}});
  session.outputs.push_back(file.string());
  session.report["stages"] = sink.tensors().size();
  remark(session, fmt::format("Wrote {} stages to {}.", sink.tensors().size(), file.string()));
  return code;
}

void add_trace(CLI::App& app, Session& session) {
  auto* command = add_command(
      app, session,
      {"trace",
       "Runs a command and writes every named stage's tensor to -o FOLDER/trace.safetensors",
       {"vesalius trace -o stages/ embed scan.png",
        "vesalius trace embed --text 'mri brain' --model F -o stages/"}},
      {});
  command->require_subcommand(0);
  command->prefix_command();
  command->add_option("-o,--output", session.common.output, "Folder for the tensors")
      ->type_name("FOLDER");
  command->add_flag("-q,--quiet", session.common.quiet, "No progress, notice or remarks");
  command->callback([&session, command] {
    session.command = "trace";
    session.action = [&session, command] { return run_trace(session, command->remaining()); };
  });
}

const Registration kTrace{51, add_trace};

}  // namespace
}  // namespace vesalius::cli
