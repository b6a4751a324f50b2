// A model's folder in a published layout: where its parts lie, and writing one.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>

#include "base/files.h"
#include "base/json.h"
#include "catalog/catalog.h"
#include "models/medimageinsight.h"

namespace vesalius::catalog {

/// The parts of a MedImageInsight package.
struct Package {
  fs::path folder;             // as given
  fs::path config;             // config.yaml
  fs::path weights;            // safetensors, whatever its ending says
  fs::path tokenizer;          // the folder with vocab.json and merges.txt
  Json card = Json::object();  // card.toml beside them, when there is one
};

/// Finds the parts in the MLflow package (artifacts/checkpoints/), the community mirror
/// (2024.09.27/) or a bare folder with config.yaml, vision_model/ and language_model/. Error kModel
/// says what is missing where.
Package find_package(const fs::path& folder);
/// The package's own card; for a bare published folder, one that says so much as its layout tells.
Card card_of_package(const Package& package);
/// True if `folder` looks like one at all.
bool is_package(const fs::path& folder);

/// Writes a package that find_package() finds: config.yaml, vision_model/`weights_name`,
/// language_model/ with the files of `tokenizer`, card.toml.
void write_package(const fs::path& folder, const models::MedImageInsightConfig& config,
                   const std::map<std::string, at::Tensor>& tensors, const fs::path& tokenizer,
                   const Json& card, const std::string& weights_name = "model.safetensors");

}  // namespace vesalius::catalog
