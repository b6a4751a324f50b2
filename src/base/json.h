// JSON through nlohmann/json (header-only, keeps key order, packaged everywhere).
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/files.h"

namespace vesalius {

using Json = nlohmann::ordered_json;

/// Parses `text`; Error kUnsupported naming `where` (a path, "request body", …) and the byte at
/// fault.
Json parse_json(std::string_view text, std::string_view where);
Json read_json(const fs::path& path);

/// One line of JSON; invalid UTF-8 in strings is replaced, never thrown on.
std::string dump_json(const Json& value, int indent = -1);

}  // namespace vesalius
