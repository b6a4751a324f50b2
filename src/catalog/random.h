// Seeded packages: a whole folder in the published layout whose weights come from arithmetic.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "checkpoint/seeded.h"
#include "models/medimageinsight.h"

namespace vesalius::catalog {

/// Every tensor that MedImageInsight takes, by its published name; nothing is allocated for them.
std::vector<TensorEntry> tensor_list(const models::MedImageInsightConfig& config);

/// "full" is MedImageInsight's; "tiny" has the same parts at a few thousandths of the size, and
/// the same tokenizer. Error kUsage for another word.
models::MedImageInsightConfig seeded_config(const std::string& size);

struct SeededPackage {
  fs::path folder, weights;
  uint64_t bytes = 0;  // of the weights file
  std::string sha256;
  uint64_t tensors = 0;
};

/// Writes the layout that the model was published in and a card that says the weights are seeded.
/// `advance` hears of bytes written and hashed, about `seeded_work()` in all, and may throw to
/// stop. Error kUsage for a model that has no published architecture here, kFailed for a folder
/// that holds other files or a full disk.
SeededPackage write_seeded_package(const std::string& model, const std::string& size,
                                   const Seeding& seeding, const fs::path& folder,
                                   const std::function<void(int64_t)>& advance = {});
int64_t seeded_work(const std::string& size, const std::string& model = "medimageinsight");

}  // namespace vesalius::catalog
