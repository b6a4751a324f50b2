// MedImageInsight's folders: config.yaml, vision_model/ and language_model/.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>

#include "catalog/family.h"
#include "models/medimageinsight.h"

namespace vesalius::catalog {

inline constexpr std::string_view kInsightFamily = "medimageinsight";

/// Its row of the table.
Family insight_family();

/// Finds the parts in the MLflow package (artifacts/checkpoints/), the community mirror
/// (2024.09.27/) or a bare folder. Error kModel says what is missing where.
Package find_insight(const fs::path& folder);

/// Writes a package that find_package() finds: config.yaml, vision_model/`weights_name`,
/// language_model/ with the files of `tokenizer`, card.toml.
void write_package(const fs::path& folder, const models::MedImageInsightConfig& config,
                   const std::map<std::string, at::Tensor>& tensors, const fs::path& tokenizer,
                   const Json& card, const std::string& weights_name = "model.safetensors");

// The other columns of the row, each beside what it is about.
void check_insight(const Package& package, const Card* published);
Json insight_outputs(const fs::path& folder, const OpenOptions& options,
                     const std::string& reference);
std::vector<Check> compare_insight(const Json& now, const Json& stored,
                                   const std::string& precision);
SeededFiles write_seeded_insight(const SeededOrder& order, const Advance& advance);
int64_t seeded_insight_work(const std::string& size);
std::unique_ptr<EmbeddingModel> open_insight(const fs::path& folder, const OpenOptions& options);

}  // namespace vesalius::catalog
