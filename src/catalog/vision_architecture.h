// DINOv2's sizes and pixels, as Hugging Face's config files have them: shared by the packages that
// are such an encoder and those that hold one.
#pragma once

#include <vector>

#include "base/files.h"
#include "catalog/config_values.h"
#include "checkpoint/key_map.h"
#include "models/dinov2.h"
#include "recipes/recipe.h"

namespace vesalius::catalog {

/// A table of the model_type dinov2. Error kModel for what is not built here.
models::Dinov2Config read_vision_config(const ConfigValues& vision);
/// The same keys.
Json write_vision_config(const models::Dinov2Config& config);

/// Pixels as preprocessor_config.json in the folder wants them, RAD-DINO's where it is silent.
/// Error kModel unless its crop is the encoder's `side`.
recipes::ModelInput read_vision_input(const fs::path& folder, int64_t side);
/// RAD-DINO's mean and deviation.
recipes::ModelInput film_input(int64_t side);
Json write_preprocessor_config(const recipes::ModelInput& input);

/// Names that transformers' newer classes have, to those of published files.
const std::vector<Rename>& vision_renames();

}  // namespace vesalius::catalog
