#include "tasks/manifest.h"

#include <algorithm>
#include <set>

#include "base/ascii.h"

namespace vesalius::tasks {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";  // spreadsheets write it before UTF-8

/// Reads one CSV record after another.
class CsvReader {
 public:
  CsvReader(std::string_view text, std::string_view where) : text_(text), where_(where) {}
  bool at_end() const { return at_ >= text_.size(); }
  int64_t line() const { return line_; }

  std::vector<std::string> record() {
    std::vector<std::string> fields{field()};
    while (!at_end() && text_[at_] == ',') {
      ++at_;
      fields.push_back(field());
    }
    if (!at_end() && text_[at_] != '\r' && text_[at_] != '\n')
      fail(
          ErrorCode::kUnsupported,
          "{}: line {}: text stands behind a closing quotation mark. Inside quotes write it twice.",
          where_, line_);
    if (!at_end() && text_[at_] == '\r') ++at_;
    if (!at_end() && text_[at_] == '\n') ++at_;
    ++line_;
    return fields;
  }

 private:
  std::string field() { return !at_end() && text_[at_] == '"' ? quoted() : plain(); }

  std::string plain() {
    const size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    std::string value(text_.substr(at_, end - at_));
    at_ = end;
    return value;
  }

  std::string quoted() {
    const int64_t opened = line_;
    std::string value;
    for (++at_; !at_end(); ++at_) {
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] != '"') {
        value += text_[at_];
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        value += '"';
        ++at_;
      } else {
        ++at_;
        return value;
      }
    }
    fail(ErrorCode::kUnsupported, "{}: line {}: a quotation mark is never closed.", where_, opened);
  }

  std::string_view text_, where_;
  size_t at_ = 0;
  int64_t line_ = 1;
};

void check_header(const std::vector<std::string>& names, std::string_view where) {
  std::set<std::string> seen;
  for (const auto& name : names)
    if (!seen.insert(name).second)
      fail(ErrorCode::kUnsupported, "{}: the column '{}' is named twice in the first line.", where,
           name);
}

}  // namespace

std::string_view without_mark(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return text;
}

std::vector<Json> parse_csv(std::string_view text, std::string_view where) {
  CsvReader reader(without_mark(text), where);
  std::vector<Json> rows;
  if (reader.at_end()) return rows;
  const auto names = reader.record();
  check_header(names, where);
  while (!reader.at_end()) {
    const int64_t line = reader.line();
    const auto fields = reader.record();
    if (fields.size() == 1 && fields[0].empty()) continue;  // an empty line
    if (fields.size() != names.size())
      fail(ErrorCode::kUnsupported,
           "{}: line {} has {} fields, the first line names {}. Quote values that hold a comma.",
           where, line, fields.size(), names.size());
    Json row = Json::object();
    for (size_t i = 0; i < names.size(); ++i) row[names[i]] = fields[i];
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<Json> parse_json_lines(std::string_view text, std::string_view where) {
  text = without_mark(text);
  std::vector<Json> rows;
  for (int64_t line = 1; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (one.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Json row = parse_json(one, fmt::format("{}: line {}", where, line));
    if (!row.is_object())
      fail(ErrorCode::kUnsupported, "{}: line {} is not a JSON object ({{\"path\": …}}).", where,
           line);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<Json> read_manifest(const fs::path& file) {
  const std::string extension = lowered(file.extension().string());
  if (extension == ".csv") return parse_csv(read_text(file), file.string());
  if (extension == ".jsonl" || extension == ".ndjson" || extension == ".json")
    return parse_json_lines(read_text(file), file.string());
  fail(ErrorCode::kUsage, "{}: a manifest is .csv or .jsonl; '{}' is neither.", file.string(),
       extension);
}

std::string column_text(const Json& row, const std::string& name) {
  const auto found = row.find(name);
  if (found == row.end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : dump_json(*found);
}

fs::path beside(const fs::path& manifest, const std::string& path) {
  return fs::path(path).is_absolute() ? fs::path(path) : manifest.parent_path() / path;
}

std::string found_beside(const fs::path& manifest, const std::string& path) {
  const fs::path near = beside(manifest, path);
  std::error_code ignored;
  return fs::exists(near, ignored) ? near.string() : path;
}

}  // namespace vesalius::tasks
