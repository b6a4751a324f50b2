// --labels, --labels-file, --template, --scores: of classify and evaluate.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "tasks/zero_shot.h"

namespace vesalius::cli {

struct ZeroShotOptions {
  std::string labels, labels_file;
  std::vector<std::string> templates;
  std::string scores = "softmax";
};
void add_zero_shot_options(CLI::App& command, ZeroShotOptions& options);

/// Refuses what is wrong before a model is opened. Error kUsage.
void check(const ZeroShotOptions& options);
std::vector<tasks::LabelGroup> read_labels(const ZeroShotOptions& options);
tasks::ZeroShot make_zero_shot(const catalog::EmbeddingModel& model,
                               const ZeroShotOptions& options);

}  // namespace vesalius::cli
