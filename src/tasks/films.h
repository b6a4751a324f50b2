// Chest films as a report model takes them, and whether they are any.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/files.h"
#include "recipes/recipe.h"
#include "tasks/report.h"

namespace vesalius::tasks {

/// Which side a film is to be taken from.
enum class View { kFrontal, kLateral };

/// A film with what the model sees of it.
struct PreparedFilm {
  Film film;
  at::Tensor pixels;  // [3, S, S] float32, normalised
  uint64_t key = 0;   // a hash of the pixels
  /// Why it is no chest X-ray of that view, as far as its header and pixels tell; empty: nothing
  /// speaks against it.
  std::string doubt;
  std::vector<std::string> warnings;
};

/// Reads a DICOM file or a picture. Error kUnsupported for what cannot be decoded.
PreparedFilm read_film(const fs::path& path, const recipes::Recipe& recipe,
                       const recipes::ModelInput& input, View view = View::kFrontal);

/// What of a film the model cannot see, in words; empty for films that are nearly square.
std::string unseen_of(const Film& film);

}  // namespace vesalius::tasks
