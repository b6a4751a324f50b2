// Opening a package: its weights mapped, checked and bound to the model.
#pragma once

#include <memory>

#include "catalog/package.h"
#include "models/medimageinsight.h"

namespace vesalius::catalog {

/// A package with its model. The store holds the tensors by their published names.
struct OpenPackage {
  Package package;
  models::MedImageInsightConfig config;
  std::shared_ptr<TensorStore> store;
  std::unique_ptr<models::MedImageInsight> model;
};

/// Where a model's weights go, and as what. Those of a tower that is not used stay in the file.
struct Placement {
  at::Device device = at::kCPU;
  at::ScalarType type = at::kFloat;
  bool images = true, texts = true;
};

/// Binds every tensor of the file to the model, mapped where the file holds what is wanted. Error
/// kModel lists all that is missing, extra or mis-shaped.
OpenPackage open_package(const fs::path& folder, const Placement& placement = {});

/// The folder behind a model's name, or the folder itself. An empty name means medimageinsight when
/// it is installed, else starter-insight. Error kModel says what there is.
fs::path model_folder(const std::string& name_or_folder);

}  // namespace vesalius::catalog
