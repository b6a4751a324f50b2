#include "tasks/inputs.h"

#include <istream>

#include "base/error.h"
#include "media/walk.h"
#include "tasks/manifest.h"

namespace vesalius::tasks {
namespace {

void add_path(const std::string& path, std::vector<Source>& sources) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    sources.push_back({path, path, Json::object(), false, ""});
    return;
  }
  for (const media::Found& found : media::walk_folder(path)) {
    const std::string name = found.path.string();
    const std::string problem =
        found.problem.empty()
            ? ""
            : fmt::format("{}: cannot be read ({}). Check its permissions.", name, found.problem);
    sources.push_back({name, name, Json::object(), true, problem});
  }
}

void add_list(std::istream& list, std::vector<Source>& sources) {
  for (std::string line; std::getline(list, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) add_path(line, sources);
  }
}

void add_manifest(const fs::path& manifest, std::vector<Source>& sources) {
  int64_t number = 0;
  for (auto& row : read_manifest(manifest)) {
    ++number;
    const std::string path = column_text(row, "path");
    if (path.empty())
      fail(ErrorCode::kUnsupported, "{}: row {} has no value in the column `path`.",
           manifest.string(), number);
    row.erase("path");
    sources.push_back({path, found_beside(manifest, path), std::move(row), false, ""});
  }
}

}  // namespace

std::vector<Source> gather_inputs(const InputRequest& request, std::istream& list) {
  if (request.inputs.empty() && request.manifest.empty())
    fail(ErrorCode::kUsage,
         "no input. Name files or folders, '-' for a list on standard input, or --manifest FILE.");
  std::vector<Source> sources;
  for (const auto& input : request.inputs) {
    if (input == "-")
      add_list(list, sources);
    else
      add_path(input, sources);
  }
  if (!request.manifest.empty()) add_manifest(request.manifest, sources);
  return sources;
}

}  // namespace vesalius::tasks
