// Does a sentence fit the film? What an embedding model of images and texts says.
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "catalog/catalog.h"
#include "tasks/report.h"

namespace vesalius::tasks {

/// A film's vector, [d] of length one, by the model's own recipe.
at::Tensor film_features(const catalog::EmbeddingModel& model, const std::string& path);

/// Sets the cosine of the frontal film and each sentence. Without sentences nothing is run.
void add_similarity(const catalog::EmbeddingModel& model, Report& report);

}  // namespace vesalius::tasks
