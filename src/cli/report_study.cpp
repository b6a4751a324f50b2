#include "cli/report_study.h"

namespace vesalius::cli {
namespace {

constexpr const char* kJudge = "starter-insight";

}  // namespace

std::string StudyReader::looks_like(const std::string& path) {
  if (!asked_) {
    asked_ = true;
    const auto card = catalog::find_card(kJudge);
    if (card && !card->folder.empty()) {
      judge_ = catalog::open_embedding_model(kJudge, {.device = "cpu", .precision = "fp32"});
      check_.emplace(*judge_);
    }
  }
  return check_ ? check_->doubt_of(path) : "";
}

tasks::PreparedFilm StudyReader::film(const std::string& path) {
  auto film = tasks::read_film(path, recipe_, input_);
  if (film.doubt.empty() && !tasks::header_vouches(film)) film.doubt = looks_like(path);
  if (film.doubt.empty()) return film;
  if (!force_)
    fail(ErrorCode::kUnsupported,
         "{}: is no chest X-ray, it seems: {}. --force writes a report all the same.", path,
         film.doubt);
  remark(session_, path + ": is no chest X-ray, it seems: " + film.doubt + ". Forced.");
  film.warnings.push_back("it seems to be no chest X-ray (" + film.doubt +
                          "); a report was forced");
  return film;
}

tasks::ReportStudy StudyReader::read(const tasks::ReportRow& row) {
  if (row.frontal.empty()) fail(ErrorCode::kUnsupported, "there is no frontal film.");
  tasks::ReportStudy study{.frontal = film(row.frontal), .context = row.context};
  if (!row.lateral.empty()) study.lateral = tasks::read_film(row.lateral, recipe_, input_);
  if (!row.prior.empty()) study.prior = film(row.prior);
  return study;
}

}  // namespace vesalius::cli
