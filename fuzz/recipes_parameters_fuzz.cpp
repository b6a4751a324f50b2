#include "guarded.h"
#include "recipes/recipe.h"

// JSON as parameters of every recipe: refused, or kept.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vesalius;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const std::string& name : recipes::recipe_names()) {
    guarded([&] {
      const recipes::Recipe recipe = recipes::make_recipe(name, parse_json(text, "input"));
      // What a recipe says of itself makes the same recipe again.
      if (recipes::make_recipe(name, recipe.parameters).parameters != recipe.parameters)
        __builtin_trap();
    });
  }
  return 0;
}
