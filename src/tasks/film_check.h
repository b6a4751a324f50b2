// Does a picture look like a chest film? What an embedding model of images and texts says.
#pragma once

#include <string>

#include "catalog/catalog.h"
#include "tasks/films.h"
#include "tasks/zero_shot.h"

namespace vesalius::tasks {

/// Does the header itself say that it is a radiograph of the chest? Then `FilmCheck` is not asked.
/// A film whose `doubt` is not empty has no such header.
bool header_vouches(const PreparedFilm& film);

/// Zero-shot over the words of modalities. Calls are const and thread-safe.
class FilmCheck {
 public:
  /// `modalities` are words that the model was trained on, "x-ray" among them. The model must
  /// outlive this.
  FilmCheck(const catalog::EmbeddingModel& model, LabelGroup modalities);
  /// "to starter-insight it looks like magnetic resonance imaging", or nothing for what looks like
  /// an X-ray. Of a file of several frames the first is looked at. Which part of the body an X-ray
  /// shows is not told apart.
  std::string doubt_of(const std::string& path) const;

 private:
  const catalog::EmbeddingModel& model_;
  ZeroShot modalities_;
};

}  // namespace vesalius::tasks
