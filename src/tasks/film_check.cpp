#include "tasks/film_check.h"

#include "tasks/report_similarity.h"

namespace vesalius::tasks {
namespace {

constexpr const char* kFilm = "x-ray";

}  // namespace

bool header_vouches(const PreparedFilm& film) {
  return film.doubt.empty() && film.film.dicom && !film.film.dicom->modality.empty() &&
         !film.film.dicom->body_part.empty();
}

FilmCheck::FilmCheck(const catalog::EmbeddingModel& model, LabelGroup modalities)
    : model_(model), modalities_(model, {std::move(modalities)}, {}) {}

std::string FilmCheck::doubt_of(const std::string& path) const {
  const auto groups =
      modalities_.classify(film_features(model_, path), ScoreRule::kSoftmax, /*top=*/1);
  const std::string& nearest = groups.at(0).scores.at(0).label;
  if (nearest == kFilm) return {};
  return fmt::format("to {} it looks like {}", model_.card().name, nearest);
}

}  // namespace vesalius::tasks
