// What each recipe may be told: names, defaults, and what a value must be.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"

namespace vesalius::recipes {

struct Parameter {
  std::string name;
  Json standard;         // the default; null: not set
  std::string expected;  // "a whole number from 1 to 100"
  std::function<bool(const Json&)> accepts;
};

/// The parameters of a recipe; Error kUsage, with all the names, if there is no such recipe.
const std::vector<Parameter>& parameters_of(const std::string& recipe);
std::vector<std::string> known_recipes();

/// A named CT window, {center, width} in Hounsfield units; null if there is none of that name.
Json window_preset(const std::string& name);
std::string window_preset_names();

}  // namespace vesalius::recipes
