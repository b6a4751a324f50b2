// Does this machine compute what it should? Stored golden outputs, computed again.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "catalog/golden.h"
#include "catalog/segmentation_model.h"

namespace vesalius::catalog {

struct Verification {
  Card card;
  std::string weights_sha256;
  std::string reference;  // who computed the stored outputs; empty when there are none
  std::vector<Check> checks;
  bool passed() const;
};

/// Outputs of an opened model on the fixed inputs, projected and not normalised: what is stored
/// when a package is added, and what the reference script stores for seeded ones (catalog/golden).
Json golden_outputs(const EmbeddingModel& model, const std::string& reference);
/// The masks of fixed prompts and their existence, with draws by arithmetic.
Json golden_outputs(const SegmentationModel& model, const std::string& reference);

/// The fixed image: an arithmetic pattern, normalised as the model wants it. [1, 3, S, S]
at::Tensor golden_image(const recipes::ModelInput& input);

/// Hashes the weights anew, then compares outputs with those stored for this hash by the reference
/// implementation, else with those stored when the model was added.
Verification verify_model(const std::string& name_or_folder, const OpenOptions& options = {});

}  // namespace vesalius::catalog
