// CSV as RFC 4180 writes it.
#pragma once

#include <string>

#include "base/json.h"

namespace vesalius::results {

/// A value as one field: strings as they are, others as JSON, quoted where they must be.
std::string csv_text(const Json& value);
/// The field `name` of a record, empty when it has none.
std::string csv_field(const Json& record, const std::string& name);

}  // namespace vesalius::results
