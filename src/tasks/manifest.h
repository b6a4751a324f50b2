// Manifests: CSV (RFC 4180) or JSON Lines, one row an input.
#pragma once

#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/json.h"

namespace vesalius::tasks {

/// Every row as an object of its columns, in the file's order. CSV values are strings; the first
/// line names the columns. Error kUnsupported names the line at fault: unequal columns, open
/// quotes, text behind them, a column named twice, a JSON line that is no object.
std::vector<Json> parse_csv(std::string_view text, std::string_view where);
std::vector<Json> parse_json_lines(std::string_view text, std::string_view where);

/// By the extension: .csv, .jsonl, .ndjson, .json. Error kUsage for others.
std::vector<Json> read_manifest(const fs::path& file);

/// `text` less a UTF-8 byte order mark at its start.
std::string_view without_mark(std::string_view text);

/// Where a path of a row leads: a relative one counts from the manifest's folder.
fs::path beside(const fs::path& manifest, const std::string& path);
/// The same if such a file is there; else the path as it stands.
std::string found_beside(const fs::path& manifest, const std::string& path);

/// Columns `name` of a row as text, empty when absent or null.
std::string column_text(const Json& row, const std::string& name);

}  // namespace vesalius::tasks
