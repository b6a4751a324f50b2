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

int run(char** arguments) {
  const c10::InferenceMode inference;
  at::set_num_threads(std::stoi(arguments[4]));
  models::FocalNetConfig config;
  config.depths = read_json(arguments[3]).value("depths", config.depths);
  const auto store = std::make_shared<TensorStore>(arguments[1], read_safetensors(arguments[1]));
  const models::FocalNet backbone(Weights(store) / "backbone", config);
  store->finish();
  const auto inputs = read_safetensors(arguments[2]);
  bench::Worker([&](const std::string& input) {
    bench::Tensors features;
    for (const auto& map : backbone(inputs.at(input)))
      features.emplace("res" + std::to_string(features.size() + 2), map);
    return features;
  }).serve();
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 5) return std::cerr << "usage: segmentation WEIGHTS INPUTS CONFIG THREADS\n", 2;
  try {
    return run(arguments);
  } catch (const std::exception& error) {
    return std::cerr << error.what() << "\n", 1;
  }
}
