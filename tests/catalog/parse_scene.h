// Tiny packages of BiomedParse's family, and ways to spoil them.
#pragma once

#include <map>

#include "catalog/parse_package.h"
#include "catalog/scene.h"
#include "catalog/weights_file.h"
#include "checkpoint/safetensors.h"

namespace vesalius::catalog {

using Tensors = std::map<std::string, at::Tensor>;

class ParseScene : public Scene {
 protected:
  /// Learned tables louder than the plain rule has them: else all queries agree.
  static Seeding loud(uint64_t seed = 7) {
    Seeding seeding{.seed = seed, .gains = {}};
    for (const char* table : {"query_feat.weight", "query_embed.weight", "query_feat_.weight",
                              "query_embed_.weight", "level_embed.weight"})
      seeding.gains.push_back({table, 16});
    return seeding;
  }

  SeededPackage make(const std::string& model, uint64_t seed = 7) const {
    return write_seeded_package(model, "tiny", loud(seed), tiny);
  }

  /// The tiny model's tensors, changed, as safetensors in a folder with its card's sizes.
  fs::path changed(const std::string& model, const std::function<void(Tensors&)>& edit) const {
    const auto made = make(model);
    Tensors tensors = read_weights(made.weights);
    for (auto& [name, tensor] : tensors) tensor = tensor.clone();
    edit(tensors);
    const fs::path folder = root / "changed";
    write_safetensors(folder / kParseWeights, tensors);
    fs::copy_file(tiny / "card.toml", folder / "card.toml");
    return folder;
  }
};

}  // namespace vesalius::catalog
