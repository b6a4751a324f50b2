#include "guarded.h"
#include "recipes/recipe.h"

// The first byte chooses the recipe, the rest is the file.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vesalius::recipes;
  if (size < 1) return 0;
  static const std::vector<std::string> names = recipe_names();
  return vesalius::guarded([&] {
    const Recipe recipe = make_recipe(names[data[0] % names.size()]);
    ModelInput input;
    input.size = 24;
    const Prepared prepared = prepare(recipe, input, {data + 1, size - 1}, "input");
    std::vector<float> values(prepared.rgb.size());
    normalise(prepared, input, values.data());
    for (const float value : values) {
      if (!(value > -4 && value < 4)) __builtin_trap();
    }
  });
}
