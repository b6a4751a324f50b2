// Inputs of a task: files, folders, lists and manifests become one ordered list.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"

namespace vesalius::tasks {

/// One file to work on.
struct Source {
  std::string input;  // as given, or the folder as given and the way below it
  std::string file;   // what to open; `input` unless a manifest's folder comes before it
  Json columns = Json::object();  // a manifest's other columns
  bool found = false;             // met in a folder, not named: skipped when it is no image
  std::string problem;            // why it cannot even be listed (an unreadable folder)
};

struct InputRequest {
  std::vector<std::string> inputs;  // files, folders, "-" for a list on `list`
  std::string manifest;             // a file, or empty
};

/// Everything that was asked for, in the order given; folders are walked recursively in the order
/// of names, hidden files and linked folders left out. A missing file stays in the list and fails
/// when it is opened, so that the rest is done. A manifest's relative paths are looked for beside
/// the manifest first. Error kUsage when nothing was asked for, kUnsupported when a manifest has no
/// column `path`.
std::vector<Source> gather_inputs(const InputRequest& request, std::istream& list);

}  // namespace vesalius::tasks
