// The studies that `vesalius report` is asked about: read, and what is no chest film refused.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/command.h"
#include "tasks/film_check.h"
#include "tasks/report_rows.h"
#include "tasks/report_writer.h"

namespace vesalius::cli {

/// Reads films for one report model. The model that looks at films without a header that vouches
/// for them, starter-insight, is opened for the first of these and kept; where it is not installed,
/// nothing is asked of it.
class StudyReader {
 public:
  /// With `force` films are taken all the same, with a warning.
  StudyReader(Session& session, recipes::Recipe recipe, const recipes::ModelInput& input,
              bool force)
      : session_(session), recipe_(std::move(recipe)), input_(input), force_(force) {}
  /// Error kUnsupported for a film that seems to be no chest X-ray of its view.
  tasks::ReportStudy read(const tasks::ReportRow& row);

 private:
  tasks::PreparedFilm film(const std::string& path, tasks::View view);
  std::string looks_like(const std::string& path);

  Session& session_;
  recipes::Recipe recipe_;
  recipes::ModelInput input_;
  bool force_;
  bool asked_ = false;  // whether the model is there
  std::unique_ptr<catalog::EmbeddingModel> judge_;
  std::optional<tasks::FilmCheck> check_;
};

}  // namespace vesalius::cli
