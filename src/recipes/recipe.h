// A recipe: the exact, named, versioned way from an input's pixels to a model's.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "media/dicom.h"
#include "media/image.h"

namespace vesalius::recipes {

/// What a model wants: a square of `size` pixels, (x/255 - mean) / std per channel.
struct ModelInput {
  int size = 480;
  float mean[3] = {0.485F, 0.456F, 0.406F};
  float std[3] = {0.229F, 0.224F, 0.225F};
};

/// Name and parameters; everything that decides the pixels. `id()` goes with every result.
struct Recipe {
  std::string name = "vesalius";  // vesalius, community, azure-endpoint, toolkit, maira-2, rad-dino
  int version = 1;
  Json parameters = Json::object();
  std::string id() const { return name + "@" + std::to_string(version); }
};

/// The recipe of that name with its defaults, `overrides` checked against what it takes. Error
/// kUsage.
Recipe make_recipe(const std::string& name, const Json& overrides = Json::object());
std::vector<std::string> recipe_names();

/// RGB pixels of one frame, model-sized, before normalisation: size*size*3 u8, interleaved.
struct Prepared {
  std::vector<uint8_t> rgb;
  int size = 0;
  std::vector<std::string> warnings;  // "constant image", …
};

/// Runs a recipe on the bytes of a PNG, JPEG, TIFF or DICOM file; `frame` is of a multi-frame
/// DICOM. Error kUnsupported says which mode or object the recipe refuses, and which recipe takes
/// it.
Prepared prepare(const Recipe& recipe, const ModelInput& input, Bytes bytes,
                 const std::string& where, int frame = 0);
/// The same of a DICOM file that is parsed already: of many frames, each costs its own decoding
/// alone.
Prepared prepare(const Recipe& recipe, const ModelInput& input, const media::DicomFile& file,
                 const std::string& where, int frame = 0);

/// [3, size, size] planar float32 into `out`: (x/255 - mean) / std, each step rounded as torch does
/// it.
void normalise(const Prepared& pixels, const ModelInput& input, float* out);

}  // namespace vesalius::recipes
