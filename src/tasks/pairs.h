// Image-text pairs for training: manifests in, prepared pixels and true texts out.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/files.h"
#include "media/image.h"
#include "recipes/recipe.h"

namespace vesalius::tasks {

/// One image and every text that is true of it.
struct Pair {
  std::string path;                // the file, or the name of the row in a TSV
  std::vector<std::string> texts;  // at least one
  Bytes encoded;                   // the row's base64 in a TSV; empty for a file
};

/// Pairs and what keeps their bytes alive.
struct PairSet {
  std::vector<Pair> pairs;
  std::shared_ptr<const MappedFile> source;
};

/// A CSV or JSON Lines manifest with columns `path` and `text`, or `texts` (several, separated by
/// '|'). Relative paths count from the manifest's folder. Error kUnsupported naming file and line.
PairSet read_pairs(const fs::path& manifest);

/// The published layout: rows `name TAB base64 image` beside rows `name TAB {"class_name": …}` (or
/// {"caption": …}) with the same names in the same order.
PairSet read_pair_tsv(const fs::path& images, const fs::path& texts);

/// The pixels of a pair after `recipe`, RGB, `size` x `size`: what augmentation starts from.
media::Image load_pair(const Pair& pair, const recipes::Recipe& recipe, int size);

}  // namespace vesalius::tasks
