// MAIRA-2's projector: image tokens into the width of the language model (arXiv 2406.04449).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/weights.h"
#include "nn/layers.h"

namespace vesalius::models {

struct ProjectorConfig {
  int64_t in = 768, out = 4096, layers = 4;
  bool bias = true;
};

/// Linear layers with exact GELUs between them, in -> out -> out …, named as torch's Sequential:
/// layers.0, layers.2, layers.4, …
struct Projector {
  std::string name;
  std::vector<nn::Linear> layers;

  Projector(const Weights& w, const ProjectorConfig& config);
  /// [..., in] -> [..., out]
  at::Tensor operator()(at::Tensor x) const;
};

}  // namespace vesalius::models
