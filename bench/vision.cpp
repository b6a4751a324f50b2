// Runs DINOv2's ViT-B/14, the image encoder of MAIRA-2 and RAD-DINO, on request (worker.h) for
// bench/vision, which times its peers between two requests.
//   vision WEIGHTS INPUTS CONFIG THREADS
//     WEIGHTS  safetensors with Dinov2Model's names; mapped
//     INPUTS   safetensors: image batches [N, 3, S, S] by name
//     CONFIG   JSON: "image_size", "layers", where they are not the published ones
// The inputs of requests are those names; a pass gives "features" [N, 1 + tokens, hidden].
#include "models/dinov2.h"
#include "worker.h"

using namespace vesalius;

namespace {

models::Dinov2 load_encoder(const std::string& weights, const Json& changes) {
  models::Dinov2Config config;
  config.image_size = changes.value("image_size", config.image_size);
  config.layers = changes.value("layers", config.layers);
  return bench::load_model<models::Dinov2>(weights, config);
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run_worker(
      count, arguments,
      [](const std::string& weights, const bench::Tensors& inputs, const Json& changes) {
        return [encoder = load_encoder(weights, changes),
                inputs](const std::string& input) -> bench::Tensors {
          return {{"features", encoder(inputs.at(input))}};
        };
      });
}
