// Does a sentence fit the film? What an embedding model of images and texts says.
#pragma once

#include "catalog/catalog.h"
#include "tasks/report.h"

namespace vesalius::tasks {

/// Sets the cosine of the frontal film and each sentence.
void add_similarity(const catalog::EmbeddingModel& model, Report& report);

}  // namespace vesalius::tasks
