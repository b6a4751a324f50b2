// Runs MedImageInsight's towers on request (worker.h) for bench/embedding, which times its peers
// between two requests.
//   embedding WEIGHTS INPUTS CONFIG THREADS
//     WEIGHTS  safetensors of the published names; mapped
//     INPUTS   safetensors: image batches "images.N" [N, 3, S, S], texts "tokens.I" of ids
//     CONFIG   JSON: "depths", "layers", where they are not the published ones
// The inputs of requests are "images.N" and "tokens"; a pass gives "features".
#include "models/medimageinsight.h"
#include "worker.h"

using namespace vesalius;

namespace {

std::vector<std::vector<int32_t>> texts_of(const bench::Tensors& inputs) {
  std::vector<std::vector<int32_t>> texts;
  for (size_t i = 0; inputs.contains("tokens." + std::to_string(i)); ++i) {
    const auto& ids = inputs.at("tokens." + std::to_string(i));
    texts.emplace_back(ids.const_data_ptr<int32_t>(), ids.const_data_ptr<int32_t>() + ids.numel());
  }
  return texts;
}

models::MedImageInsight load_model(const std::string& weights, const Json& changes) {
  models::MedImageInsightConfig config;
  config.image.depths = changes.value("depths", config.image.depths);
  config.text.layers = changes.value("layers", config.text.layers);
  return bench::load_model<models::MedImageInsight>(weights, config);
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run_worker(
      count, arguments,
      [](const std::string& weights, const bench::Tensors& inputs, const Json& changes) {
        return [model = load_model(weights, changes), inputs,
                texts = texts_of(inputs)](const std::string& input) -> bench::Tensors {
          return {{"features", input == "tokens" ? model.embed_tokens(texts)
                                                 : model.embed_images(inputs.at(input))}};
        };
      });
}
