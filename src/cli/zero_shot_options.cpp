#include "cli/zero_shot_options.h"

namespace vesalius::cli {

void add_zero_shot_options(CLI::App& command, ZeroShotOptions& options) {
  command.add_option("--labels", options.labels, "Separated by commas")->type_name("'A, B, C'");
  command
      .add_option("--labels-file", options.labels_file,
                  "One label a line; '# NAME | TEMPLATE' begins a group, and '| when GROUP = "
                  "LABEL' asks it "
                  "only where an earlier group says so")
      ->type_name("FILE");
  command
      .add_option("--template", options.templates,
                  "Words around a label, {} is the label; repeated: their average")
      ->type_name("TEXT")
      ->expected(1)
      ->take_all();
  command
      .add_option("--scores", options.scores,
                  "softmax: labels of a group exclude each other; sigmoid: each for itself")
      ->capture_default_str()
      ->check(CLI::IsMember({"softmax", "sigmoid"}));
}

std::vector<tasks::LabelGroup> read_labels(const ZeroShotOptions& options) {
  if (options.labels.empty() == options.labels_file.empty())
    fail(ErrorCode::kUsage, "give either --labels 'a, b, c' or --labels-file FILE.");
  return options.labels_file.empty()
             ? tasks::parse_label_list(options.labels)
             : tasks::parse_labels_file(read_text(options.labels_file), options.labels_file);
}

void check(const ZeroShotOptions& options) {
  read_labels(options);
  tasks::parse_score_rule(options.scores);
  for (const auto& pattern : options.templates) tasks::fill_template(pattern, "");
}

tasks::ZeroShot make_zero_shot(const catalog::EmbeddingModel& model,
                               const ZeroShotOptions& options) {
  return {model, read_labels(options), options.templates};
}

}  // namespace vesalius::cli
