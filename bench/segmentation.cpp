// Runs BiomedParse's backbone on request (worker.h) for bench/segmentation, which times its peers
// between two requests.
//   segmentation WEIGHTS INPUTS CONFIG THREADS
//     WEIGHTS  safetensors of the published names, "backbone." and what follows; mapped
//     INPUTS   safetensors: image batches [N, 3, S, S] by name
//     CONFIG   JSON: "depths", where they are not the published ones
// The inputs of requests are those names; a pass gives "res2" to "res5", [N, S / stride, S /
// stride, dim].
#include "models/focalnet.h"
#include "worker.h"

using namespace vesalius;

namespace {

models::FocalNet load_backbone(const std::string& weights, const Json& changes) {
  models::FocalNetConfig config;
  config.depths = changes.value("depths", config.depths);
  return bench::load_model<models::FocalNet>(weights, config, "backbone");
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run_worker(
      count, arguments,
      [](const std::string& weights, const bench::Tensors& inputs, const Json& changes) {
        return [backbone = load_backbone(weights, changes), inputs](const std::string& input) {
          bench::Tensors features;
          for (const auto& map : backbone(inputs.at(input)))
            features.emplace("res" + std::to_string(features.size() + 2), map);
          return features;
        };
      });
}
