// From results to the cases of an HTML page.
#pragma once

#include <memory>

#include "cli/command.h"
#include "results/page.h"
#include "results/thumbnail.h"
#include "tasks/pipeline.h"
#include "tasks/search.h"

namespace vesalius::cli {

/// The page that --html asks for, or none.
class CasePage {
 public:
  /// `path` empty: every call does nothing.
  CasePage(Session& session, const std::string& path, const std::string& title,
           const Json& provenance);
  void add(const tasks::Embedded& embedded, const std::vector<tasks::GroupScores>& groups,
           const std::vector<tasks::Neighbour>* neighbours);
  void add_text(const std::string& text, const std::vector<tasks::Neighbour>& neighbours);
  void add_problem(const tasks::Embedded& embedded);
  void finish();

 private:
  void add_hits(results::PageCase& one, const std::vector<tasks::Neighbour>& neighbours);
  Session& session_;
  std::string path_;
  std::unique_ptr<results::Page> page_;
  results::Thumbnails large_, small_;
};

}  // namespace vesalius::cli
