// Stored outputs and how they are compared: what `models verify` rests on.
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "base/json.h"
#include "recipes/recipe.h"

namespace vesalius::catalog {

/// One row of the answer.
struct Check {
  std::string what;       // "weights hash", "tokens", "image", "text 'no finding'"
  double difference = 0;  // largest, in units of the reference's largest value
  double limit = 0;
  bool passed = false;
  std::string note;
};

/// A vector's numbers worth keeping: evenly spaced values, its largest and its length.
Json outline(const at::Tensor& vector);

/// Of two outlines, the second as it was read from a file.
Check compare_outlines(std::string what, const Json& now, const Json& stored, double limit);

/// "text 'x-ray chest…'"
std::string label_of(const char* kind, const std::string& text);

/// The row of `rows` whose `key` says the same as that of `like`; null if there is none.
const Json* row_like(const Json& rows, const char* key, const Json& like);

/// False if a number in it is infinite or none.
bool all_finite(const Json& outputs);

/// The fixed image: an arithmetic pattern.
recipes::Prepared golden_pixels(int size);

}  // namespace vesalius::catalog
