#include "recipes/recipe.h"

#include <algorithm>

#include "recipes/film.h"
#include "recipes/parameters.h"
#include "recipes/steps.h"

namespace vesalius::recipes {

namespace {

using media::Image;

std::string names(const std::vector<Parameter>& parameters) {
  std::string list;
  for (const Parameter& parameter : parameters) list += (list.empty() ? "" : ", ") + parameter.name;
  return list;
}

const Parameter& find(const std::string& recipe, const std::string& name) {
  const std::vector<Parameter>& parameters = parameters_of(recipe);
  const auto found =
      std::find_if(parameters.begin(), parameters.end(),
                   [&](const Parameter& parameter) { return parameter.name == name; });
  if (found == parameters.end()) {
    fail(ErrorCode::kUsage, "recipe '{}' has no parameter '{}'; it has {}", recipe, name,
         names(parameters));
  }
  return *found;
}

// No published reference opens DICOM. The community loader is given what a viewer shows, which is
// what people export for it; the endpoint has a published client that prepares DICOM in its way.
void check_takes_dicom(const Recipe& recipe, const std::string& where) {
  if (recipe.name == "azure-endpoint") {
    fail(ErrorCode::kUnsupported,
         "{} is DICOM, which the reference of recipe '{}' cannot open; give --recipe toolkit (as "
         "the published client sends it there) or --recipe vesalius (as a viewer shows it)",
         where, recipe.name);
  }
}

Image prepare_dicom(const Recipe& recipe, const ModelInput& input, const media::DicomFile& file,
                    const std::string& where, int frame) {
  require_frame(file, frame, where);
  // RAD-DINO learnt from DICOM whose least and greatest values had become 0 and 255.
  if (recipe.name == "maira-2" || recipe.name == "rad-dino")
    return film_square(recipe, input, film(recipe, file, where, frame));
  if (recipe.name == "toolkit") return toolkit(recipe, input, file, frame, where);
  if (recipe.name == "community")
    return community(recipe, input, shown(recipe, file, frame, where), where);
  return viewer(recipe, input, file, frame, where);
}

Image prepare_image(const Recipe& recipe, const ModelInput& input, Bytes bytes,
                    const std::string& where) {
  const Image image = media::decode_image(bytes, where);
  if (recipe.name == "maira-2") return film_square(recipe, input, film(recipe, image));
  if (recipe.name == "rad-dino") return middle_square(recipe, input, image);
  if (recipe.name == "community") return community(recipe, input, image, where);
  if (recipe.name == "azure-endpoint") return azure_endpoint(recipe, input, image);
  if (recipe.name == "toolkit") return toolkit(recipe, input, image, where);
  return viewer(recipe, input, image);
}

bool is_constant(const std::vector<uint8_t>& rgb) {
  for (size_t i = 3; i < rgb.size(); ++i) {
    if (rgb[i] != rgb[i - 3]) return false;
  }
  return true;
}

Prepared prepared(Image image, int size) {
  Prepared made{std::move(image.data), size, {}};
  if (is_constant(made.rgb)) {
    made.warnings.push_back(
        "constant image: every pixel is the same, so its embedding says nothing");
  }
  return made;
}

}  // namespace

void require_frame(const media::DicomFile& file, int frame, const std::string& where) {
  if (frame < 0 || frame >= file.info().frames)
    fail(ErrorCode::kUsage, "{} has {} frame(s); there is no frame {} (the first is 0)", where,
         file.info().frames, frame);
}

Recipe make_recipe(const std::string& name, const Json& overrides) {
  Recipe recipe;
  recipe.name = name;
  for (const Parameter& parameter : parameters_of(name)) {
    if (!parameter.standard.is_null()) recipe.parameters[parameter.name] = parameter.standard;
  }
  if (!overrides.is_object() && !overrides.is_null()) {
    fail(ErrorCode::kUsage, "the parameters of a recipe are a JSON object, not {}",
         dump_json(overrides));
  }
  for (const auto& [key, value] : overrides.items()) {
    const Parameter& parameter = find(name, key);
    if (!parameter.accepts(value)) {
      fail(ErrorCode::kUsage, "recipe '{}': '{}' is {}; it must be {}", name, key, dump_json(value),
           parameter.expected);
    }
    if (value.is_null()) {
      recipe.parameters.erase(key);
    } else {
      recipe.parameters[key] = value;
    }
  }
  if (recipe.parameters.contains("window") && recipe.parameters.contains("percentiles")) {
    fail(ErrorCode::kUsage, "recipe '{}' takes a window or percentiles, not both", name);
  }
  return recipe;
}

std::vector<std::string> recipe_names() { return known_recipes(); }

Prepared prepare(const Recipe& recipe, const ModelInput& input, Bytes bytes,
                 const std::string& where, int frame) {
  if (bytes.empty()) fail(ErrorCode::kUnsupported, "{} is empty; there is no image in it", where);
  if (!media::looks_like_dicom(bytes))
    return prepared(prepare_image(recipe, input, bytes, where), input.size);
  check_takes_dicom(recipe, where);
  return prepare(recipe, input, media::DicomFile::parse(bytes, where), where, frame);
}

Prepared prepare(const Recipe& recipe, const ModelInput& input, const media::DicomFile& file,
                 const std::string& where, int frame) {
  check_takes_dicom(recipe, where);
  return prepared(prepare_dicom(recipe, input, file, where, frame), input.size);
}

}  // namespace vesalius::recipes
