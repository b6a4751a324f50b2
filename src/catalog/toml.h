// Cards as text: TOML into JSON and back.
#pragma once

#include <string>

#include "base/json.h"

namespace vesalius::catalog {

/// Parses TOML into JSON; dates become text. Error kModel naming `where`.
Json parse_toml(const std::string& text, const std::string& where);

/// `card` as TOML that parse_toml gives back. A key whose value is null is left out; error kModel
/// for a null in a list and for numbers above an int64.
std::string card_toml(const Json& card);

}  // namespace vesalius::catalog
