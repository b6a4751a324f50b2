#include "tasks/labels.h"

#include <algorithm>
#include <set>

#include "base/ascii.h"
#include "base/error.h"
#include "tasks/manifest.h"

namespace vesalius::tasks {
namespace {

std::vector<std::string> split(std::string_view text, char mark) {
  std::vector<std::string> parts;
  while (true) {
    const size_t end = text.find(mark);
    parts.emplace_back(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

/// "when GROUP = LABEL, LABEL"
void read_condition(const std::string& part, LabelGroup& group, const std::string& at) {
  const size_t equals = part.find('=');
  if (equals != std::string::npos)
    group.when_group = trimmed(std::string_view(part).substr(5, equals - 5));
  if (group.when_group.empty())
    fail(ErrorCode::kUsage, "{}: a condition is 'when GROUP = LABEL, LABEL', not '{}'.", at, part);
  group.when_labels = split(std::string_view(part).substr(equals + 1), ',');
}

LabelGroup read_heading(std::string_view line, const std::string& at) {
  auto parts = split(line, '|');
  LabelGroup group{.name = parts[0]};
  if (group.name.empty()) fail(ErrorCode::kUsage, "{}: a heading needs a name: '# finding'.", at);
  for (size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].starts_with("when "))
      read_condition(parts[i], group, at);
    else if (parts[i].find("{}") != std::string::npos)
      group.templates.push_back(parts[i]);
    else
      fail(ErrorCode::kUsage, "{}: '{}' is neither a template with {{}} nor 'when GROUP = LABEL'.",
           at, parts[i]);
  }
  return group;
}

void check_group(const LabelGroup& group, const std::string& where) {
  std::set<std::string> seen;
  const std::string named = group.name.empty() ? "" : " in '" + group.name + "'";
  if (group.labels.empty()) fail(ErrorCode::kUsage, "{}: there is no label{}.", where, named);
  for (const auto& label : group.labels)
    if (!seen.insert(label).second)
      fail(ErrorCode::kUsage, "{}: the label '{}' comes twice{}.", where, label, named);
}

void check_condition(const std::vector<LabelGroup>& groups, size_t index,
                     const std::string& where) {
  const LabelGroup& group = groups[index];
  if (group.when_group.empty()) return;
  const auto earlier =
      std::find_if(groups.begin(), groups.begin() + static_cast<int64_t>(index),
                   [&](const LabelGroup& g) { return g.name == group.when_group; });
  if (earlier == groups.begin() + static_cast<int64_t>(index))
    fail(ErrorCode::kUsage, "{}: '{}' depends on the group '{}', which must stand before it.",
         where, group.name, group.when_group);
  for (const auto& label : group.when_labels)
    if (std::find(earlier->labels.begin(), earlier->labels.end(), label) == earlier->labels.end())
      fail(ErrorCode::kUsage, "{}: '{}' depends on the label '{}', which '{}' does not have.",
           where, group.name, label, group.when_group);
}

void check_groups(const std::vector<LabelGroup>& groups, const std::string& where) {
  if (groups.empty()) fail(ErrorCode::kUsage, "{}: there is no label.", where);
  std::set<std::string> names;
  for (size_t i = 0; i < groups.size(); ++i) {
    check_group(groups[i], where);
    check_condition(groups, i, where);
    if (!names.insert(groups[i].name).second)
      fail(ErrorCode::kUsage, "{}: the group '{}' comes twice.", where, groups[i].name);
  }
}

}  // namespace

std::vector<LabelGroup> parse_label_list(std::string_view list) {
  LabelGroup group;
  for (auto& label : split(list, ','))
    if (!label.empty()) group.labels.push_back(std::move(label));
  check_group(group, "--labels");
  return {group};
}

std::vector<LabelGroup> parse_labels_file(std::string_view text, std::string_view where) {
  std::vector<LabelGroup> groups;
  int64_t number = 0;
  for (const auto& line : split(without_mark(text), '\n')) {
    ++number;
    if (line.empty()) continue;
    if (line[0] == '#') {
      groups.push_back(read_heading(std::string_view(line).substr(1),
                                    fmt::format("{}: line {}", where, number)));
      continue;
    }
    if (groups.empty()) groups.emplace_back();
    groups.back().labels.push_back(line.starts_with("\\#") ? line.substr(1) : line);
  }
  check_groups(groups, std::string(where));
  return groups;
}

std::string fill_template(const std::string& pattern, const std::string& label) {
  const size_t gap = pattern.find("{}");
  if (gap == std::string::npos)
    fail(ErrorCode::kUsage, "the template '{}' has no {{}} for the label.", pattern);
  return pattern.substr(0, gap) + label + pattern.substr(gap + 2);
}

}  // namespace vesalius::tasks
