// Results as JSON Lines: what it is of, the vector, and where it comes from, on one line.
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "base/json.h"

namespace vesalius::results {

/// {head…, "features": […], provenance…}. Floats are written with the fewest digits that read back
/// equal.
std::string json_line(const Json& head, const at::Tensor& features, const Json& provenance);
/// {head…, provenance…}
std::string json_line(const Json& head, const Json& provenance);

/// The shortest text that reads back as this float.
std::string shortest(float value);

}  // namespace vesalius::results
