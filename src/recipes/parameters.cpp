#include "recipes/parameters.h"

#include <map>

namespace vesalius::recipes {

namespace {

Parameter whole_number(const std::string& name, int standard, int least, int greatest) {
  return {name, standard, fmt::format("a whole number from {} to {}", least, greatest),
          [=](const Json& value) {
            return value.is_number_integer() && value >= least && value <= greatest;
          }};
}

Parameter one_of(const std::string& name, const std::vector<Json>& values) {
  std::string list;
  for (const Json& value : values) list += (list.empty() ? "" : " or ") + dump_json(value);
  return {name, values.front(), list, [=](const Json& given) {
            return std::find(values.begin(), values.end(), given) != values.end();
          }};
}

bool is_pair(const Json& value) {
  return value.is_array() && value.size() == 2 && value[0].is_number() && value[1].is_number();
}

// Two rising numbers between 0 and `most`.
Parameter percentiles(const Json& standard, int most) {
  return {"percentiles", standard, fmt::format("two rising numbers from 0 to {}", most),
          [=](const Json& value) {
            return (value.is_null() && standard.is_null()) ||
                   (is_pair(value) && value[0] >= 0 && value[0] < value[1] && value[1] <= most);
          }};
}

Parameter window() {
  return {"window", nullptr,
          "[center, width] with a width above 0, or one of " + window_preset_names(),
          [](const Json& value) {
            if (value.is_string()) return !window_preset(value.get<std::string>()).is_null();
            return value.is_null() || (is_pair(value) && value[1] > 0);
          }};
}

// Pillow 13 changed which pass of a resize comes first; the last bit of a pixel may depend on it.
// The published models are older than it.
Parameter pillow() { return one_of("pillow", {12, 13}); }

Parameter image_size() { return whole_number("image_standardization_image_size", 512, 1, 8192); }
Parameter jpeg_quality() {
  return whole_number("image_standardization_jpeg_compression_ratio", 75, 1, 100);
}

const std::map<std::string, std::vector<Parameter>>& table() {
  static const std::map<std::string, std::vector<Parameter>> recipes = {
      {"azure-endpoint", {image_size(), jpeg_quality(), pillow()}},
      {"community", {pillow()}},
      {"toolkit",
       {percentiles({0.01, 0.99}, 1), one_of("then", {"azure-endpoint", "community"}), image_size(),
        jpeg_quality(), pillow()}},
      {"maira-2", {window(), percentiles(nullptr, 100), pillow()}},
      {"rad-dino", {window(), percentiles(nullptr, 100), pillow()}},
      {"vesalius", {window(), percentiles(nullptr, 100)}},
  };
  return recipes;
}

const std::map<std::string, Json>& presets() {
  static const std::map<std::string, Json> windows = {
      {"abdomen", {40, 400}}, {"bone", {400, 1800}},   {"brain", {40, 80}},
      {"liver", {60, 160}},   {"lung", {-600, 1500}},  {"mediastinum", {40, 400}},
      {"stroke", {40, 40}},   {"subdural", {75, 215}}, {"soft-tissue", {40, 400}},
  };
  return windows;
}

template <class Map>
std::string names_of(const Map& map) {
  std::string names;
  for (const auto& [name, value] : map) names += (names.empty() ? "" : ", ") + name;
  return names;
}

}  // namespace

const std::vector<Parameter>& parameters_of(const std::string& recipe) {
  const auto found = table().find(recipe);
  if (found == table().end()) {
    fail(ErrorCode::kUsage, "there is no recipe '{}'; choose one of {}", recipe, names_of(table()));
  }
  return found->second;
}

std::vector<std::string> known_recipes() {
  std::vector<std::string> names;
  for (const auto& [name, parameters] : table()) names.push_back(name);
  return names;
}

Json window_preset(const std::string& name) {
  const auto found = presets().find(name);
  return found == presets().end() ? Json(nullptr) : found->second;
}

std::string window_preset_names() { return names_of(presets()); }

}  // namespace vesalius::recipes
