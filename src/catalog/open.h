// Opening a MedImageInsight package: its weights mapped, checked and bound to the model.
#pragma once

#include <memory>

#include "catalog/device.h"
#include "catalog/insight_package.h"
#include "models/medimageinsight.h"

namespace vesalius::catalog {

/// A package with its model. The store holds the tensors by their published names.
struct OpenPackage {
  Package package;
  models::MedImageInsightConfig config;
  std::shared_ptr<TensorStore> store;
  std::unique_ptr<models::MedImageInsight> model;
};

/// Binds every tensor of the file to the model, mapped where the file holds what is wanted. Error
/// kModel lists all that is missing, extra or mis-shaped.
OpenPackage open_package(const fs::path& folder, const Placement& placement = {});

}  // namespace vesalius::catalog
