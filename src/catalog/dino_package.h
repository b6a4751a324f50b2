// RAD-DINO's folders (and those of a DINOv2 like it) as Hugging Face lays them out: config.json of
// transformers' Dinov2Model, preprocessor_config.json, model.safetensors.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "catalog/device.h"
#include "catalog/family.h"
#include "checkpoint/weights.h"
#include "models/dinov2.h"
#include "recipes/recipe.h"

namespace vesalius::catalog {

/// Their row of the table.
Family dino_family();

struct OpenDinoPackage {
  Package package;
  recipes::ModelInput input;
  std::unique_ptr<models::Dinov2> model;
};

/// Binds every tensor to the model, by the names of published files or of transformers' newer
/// classes. Error kModel lists all that is missing, extra or mis-shaped.
OpenDinoPackage open_dino_package(const fs::path& folder, const Placement& placement = {});

// The other columns of the row, each beside what it is about.
std::unique_ptr<EmbeddingModel> open_dino(const fs::path& folder, const OpenOptions& options);
Json dino_outputs(const fs::path& folder, const OpenOptions& options, const std::string& reference);
std::vector<Check> compare_dino(const Json& now, const Json& stored, const std::string& precision);

}  // namespace vesalius::catalog
