#include "results/finding_codes.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "tasks/finding_labels.h"
#include "tasks/manifest.h"

namespace vesalius::results {
namespace {
constexpr size_t kLongestCode = 16, kLongestMeaning = 64;

std::string field(const Json& row, const char* name, size_t longest, const std::string& where) {
  std::string value = tasks::column_text(row, name);
  if (value.empty())
    fail(ErrorCode::kUsage, "{}: '{}' is empty; a line is label,scheme,code,meaning", where, name);
  if (value.size() > longest)
    fail(ErrorCode::kUsage, "{}: '{}' has more than the {} bytes that DICOM takes", where, name,
         longest);
  return value;
}

void add_row(FindingCodes& codes, const Json& row, const std::string& where) {
  const std::string label = tasks::column_text(row, "label");
  const auto& names = tasks::label_names();
  if (std::ranges::find(names, label) == names.end())
    fail(ErrorCode::kUsage, "{}: '{}' is no observation; the label is one of: {}", where, label,
         fmt::join(names, ", "));
  const media::Code code{field(row, "code", kLongestCode, where),
                         field(row, "scheme", kLongestCode, where),
                         field(row, "meaning", kLongestMeaning, where)};
  if (!codes.emplace(label, code).second)
    fail(ErrorCode::kUsage, "{}: '{}' has a code already; give it one", where, label);
}
}  // namespace

const FindingCodes& default_finding_codes() {
  static const FindingCodes kCodes = {
      {"Cardiomegaly", {"8186001", "SCT", "Cardiomegaly"}},
      {"Edema", {"19242006", "SCT", "Pulmonary edema"}},
      {"Consolidation", {"95436008", "SCT", "Lung consolidation"}},
      {"Pneumonia", {"233604007", "SCT", "Pneumonia"}},
      {"Atelectasis", {"46621007", "SCT", "Atelectasis"}},
      {"Pneumothorax", {"36118008", "SCT", "Pneumothorax"}},
      {"Pleural Effusion", {"60046008", "SCT", "Pleural effusion"}},
      {"Fracture", {"125605004", "SCT", "Fracture of bone"}},  // of a rib is not said by the label
  };
  return kCodes;
}

FindingCodes read_finding_codes(const fs::path& path) {
  const std::string content = read_text(path);
  tasks::parse_csv(content, path.string());  // what is no CSV is told with its line
  FindingCodes codes;
  std::string header;
  size_t line = 0;
  for (size_t begin = 0; begin < content.size();) {
    const size_t end = std::min(content.find('\n', begin), content.size());
    const std::string text = content.substr(begin, end - begin);
    begin = end + 1;
    const std::string where = fmt::format("{}: line {}", path.string(), ++line);
    if (line == 1)
      header = text;
    else
      for (const Json& row : tasks::parse_csv(header + "\n" + text, where))
        add_row(codes, row, where);
  }
  return codes;
}

FindingCodes finding_codes(const fs::path& path) {
  return path.empty() ? default_finding_codes() : read_finding_codes(path);
}

}  // namespace vesalius::results
