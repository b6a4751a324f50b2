// YAML from strangers, read as plain data.
#pragma once

#include <string>

#include "base/json.h"

namespace vesalius::catalog {

/// One document of mappings, lists and scalars (plain ones become numbers, truth values and null as
/// in YAML 1.1). A dotted key at the top ("a.b[0].c: v") then overrides the value at that path, as
/// the published reader has it. Tags construct nothing, `${…}` stays as it is. Error kModel naming
/// `where` for aliases (a small file can unfold to gigabytes with them), a key that comes twice,
/// deep nesting, very many values, and what is no YAML.
Json parse_yaml(const std::string& text, const std::string& where);

}  // namespace vesalius::catalog
