// Labels for zero-shot classification: a list, or a file with groups.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vesalius::tasks {

/// Labels that exclude each other: one softmax.
struct LabelGroup {
  std::string name;                    // "modality"; empty when there is one group without heading
  std::vector<std::string> labels;     // as shown
  std::vector<std::string> templates;  // "x-ray chest {}"; empty: the command's
  std::string when_group;              // asked only where that earlier group's first label …
  std::vector<std::string> when_labels;  // … is one of these; empty: always
};

/// "a, b, c": one group without a name. Error kUsage when empty or when a label comes twice.
std::vector<LabelGroup> parse_label_list(std::string_view list);

/// One label a line; a label may contain a comma. Empty lines are skipped. A line "# NAME" begins a
/// group; behind NAME may stand, each after a '|', templates (they contain "{}") and one condition
/// "when GROUP = LABEL, LABEL": `# finding | x-ray chest {} | when modality = x-ray`.
/// A label that begins with '#' is written with a backslash before it.
/// Error kUsage names `where` and the line.
std::vector<LabelGroup> parse_labels_file(std::string_view text, std::string_view where);

/// "x-ray chest {}" and "pneumonia" -> "x-ray chest pneumonia". Error kUsage when there is no "{}".
std::string fill_template(const std::string& pattern, const std::string& label);

}  // namespace vesalius::tasks
