#include "tasks/inputs.h"

#include <algorithm>
#include <istream>

#include "base/error.h"
#include "media/walk.h"
#include "tasks/manifest.h"

namespace vesalius::tasks {
namespace {

void walk(const fs::path& folder, std::vector<Source>& sources) {
  std::error_code problem;
  std::vector<fs::directory_entry> entries;
  for (fs::directory_iterator at(folder, problem), end; !problem && at != end;
       at.increment(problem))
    entries.push_back(*at);
  if (problem) {
    sources.push_back(
        {folder.string(), folder.string(), Json::object(), true,
         folder.string() + ": cannot be read (" + problem.message() + "). Check its permissions."});
    return;
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return media::natural_less(a.path().filename().native(), b.path().filename().native());
  });
  for (const auto& entry : entries) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(".") || name == "DICOMDIR") continue;
    std::error_code ignored;
    if (entry.is_directory(ignored) && !entry.is_symlink(ignored)) walk(entry.path(), sources);
    if (entry.is_regular_file(ignored))
      sources.push_back({entry.path().string(), entry.path().string(), Json::object(), true, ""});
  }
}

void add_path(const std::string& path, std::vector<Source>& sources) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored))
    walk(path, sources);
  else
    sources.push_back({path, path, Json::object(), false, ""});
}

void add_list(std::istream& list, std::vector<Source>& sources) {
  for (std::string line; std::getline(list, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) add_path(line, sources);
  }
}

/// Beside the manifest where it is there, else as it stands.
std::string resolve(const fs::path& manifest, const std::string& path) {
  const fs::path beside = manifest.parent_path() / path;
  std::error_code ignored;
  return fs::path(path).is_relative() && fs::exists(beside, ignored) ? beside.string() : path;
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
    sources.push_back({path, resolve(manifest, path), std::move(row), false, ""});
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
