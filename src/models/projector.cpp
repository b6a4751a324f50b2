#include "models/projector.h"

#include "nn/trace.h"

namespace vesalius::models {

Projector::Projector(const Weights& w, const ProjectorConfig& c) : name(w.name()) {
  for (int64_t i = 0; i < c.layers; ++i)  // numbers between are those of the GELUs
    layers.emplace_back(w / "layers" / (2 * i), i == 0 ? c.in : c.out, c.out, c.bias);
}

at::Tensor Projector::operator()(at::Tensor x) const {
  for (size_t i = 0; i + 1 < layers.size(); ++i) x = layers[i].gelu(x);
  x = layers.back()(x);
  nn::trace(name, x);
  return x;
}

}  // namespace vesalius::models
