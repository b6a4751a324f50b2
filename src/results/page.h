// One self-contained HTML page: images, what words say about them, their nearest neighbours.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "tasks/zero_shot.h"

namespace vesalius::results {

/// A similar case as the page shows it.
struct PageHit {
  std::string title, detail;  // file name; where it lies, its label
  std::string image;          // data URI, empty when it could not be drawn
  double score = 0;           // cosine
};

/// One input.
struct PageCase {
  std::string title, detail;
  std::string image;                                       // data URI, empty for a text query
  std::vector<std::string> tags;                           // "CT", "frame 3 of 60"
  std::vector<std::pair<std::string, std::string>> facts;  // folded away: UIDs, path
  std::vector<std::string> warnings;
  std::vector<tasks::GroupScores> groups;
  std::vector<PageHit> hits;
  bool searched = false;  // show the neighbours' heading even when there are none
};

/// Written case by case, so that thousands need no memory. Everything is HTML-escaped; nothing is
/// loaded from elsewhere. Follows the reader's light or dark setting, prints, and reads well to a
/// screen reader.
class Page {
 public:
  Page(const fs::path& path, const std::string& title, const Json& provenance);
  void add(const PageCase& one);
  /// An input that failed, with the reason.
  void add_problem(const std::string& message);
  void finish();

 private:
  FileWriter writer_;
  Json provenance_;
  std::vector<std::string> problems_;
  int64_t count_ = 0;
};

/// Text for HTML content and attributes; invalid UTF-8 becomes U+FFFD.
std::string escape_html(const std::string& text);

}  // namespace vesalius::results
