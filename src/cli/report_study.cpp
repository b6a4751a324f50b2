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
      const auto file = card->folder / "labels.txt";
      judge_ = catalog::open_embedding_model(kJudge, {.device = "cpu", .precision = "fp32"});
      check_.emplace(*judge_, tasks::parse_labels_file(read_text(file), file.string()).at(0));
    }
  }
  return check_ ? check_->doubt_of(path) : "";
}

tasks::PreparedFilm StudyReader::film(const std::string& path, tasks::View view) {
  const bool frontal = view == tasks::View::kFrontal;
  const char* what = frontal ? "frontal" : "lateral";
  auto film = tasks::read_film(path, recipe_, input_, view);
  // The model was tried on frontal films alone.
  if (frontal && film.doubt.empty() && !tasks::header_vouches(film)) film.doubt = looks_like(path);
  if (film.doubt.empty()) return film;
  const auto told = fmt::format("{}: is no {} chest X-ray, it seems: {}.", path, what, film.doubt);
  if (!force_) fail(ErrorCode::kUnsupported, "{} --force writes a report all the same.", told);
  remark(session_, told + " Forced.");
  film.warnings.push_back(
      fmt::format("it seems to be no {} chest X-ray ({}); a report was forced", what, film.doubt));
  return film;
}

tasks::ReportStudy StudyReader::read(const tasks::ReportRow& row) {
  if (row.frontal.empty()) fail(ErrorCode::kUnsupported, "there is no frontal film.");
  tasks::ReportStudy study{.frontal = film(row.frontal, tasks::View::kFrontal),
                           .context = row.context};
  if (!row.lateral.empty()) study.lateral = film(row.lateral, tasks::View::kLateral);
  if (!row.prior.empty()) study.prior = film(row.prior, tasks::View::kFrontal);
  return study;
}

}  // namespace vesalius::cli
