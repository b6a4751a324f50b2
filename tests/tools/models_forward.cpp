// Shows Python what the models make of given weights and inputs. One argument, a JSON file:
//   weights  safetensors files; a later one's tensors replace an earlier one's
//   config   dims, depths, heads, groups, window; vocabulary, context, width, text_heads, layers;
//            projection
//   focalnet in place of config: embed_dim, depths; BiomedParse's backbone makes res2 to res5
//            [n, h, w, dim] of "images"
//   inputs   safetensors: "images" [n, 3, h, w]; "tokens.I" ids of text I; "block.NAME" the input
//            of module NAME: [n, h, w, dim] (image) or [texts, length, width] (text);
//            "#…" behind NAME tells several inputs of one module apart
//   output   safetensors: image_features, text_features, block.NAME; stage.NAME with "trace";
//            gradient.NAME and "loss" with "gradients" (symmetric cross-entropy of pairs)
//   threads  of LibTorch
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <iostream>

#include "base/json.h"
#include "checkpoint/safetensors.h"
#include "models/focalnet.h"
#include "models/medimageinsight.h"
#include "nn/trace.h"

using namespace vesalius;

namespace {

using Tensors = std::map<std::string, at::Tensor>;

models::MedImageInsightConfig configure(const Json& json) {
  models::MedImageInsightConfig c;
  json.at("dims").get_to(c.image.dims);
  json.at("depths").get_to(c.image.depths);
  json.at("heads").get_to(c.image.heads);
  json.at("groups").get_to(c.image.groups);
  json.at("window").get_to(c.image.window);
  json.at("vocabulary").get_to(c.text.vocabulary);
  json.at("context").get_to(c.text.context);
  json.at("width").get_to(c.text.width);
  json.at("text_heads").get_to(c.text.heads);
  json.at("layers").get_to(c.text.layers);
  json.at("projection").get_to(c.projection);
  return c;
}

at::Tensor run_block(const models::MedImageInsight& model, const std::string& name,
                     const at::Tensor& x) {
  for (const auto& conv : model.image_encoder.convs)
    if (conv.name == name) return conv(x);
  const nn::Windows windows(x.size(0), x.size(1), x.size(2), model.image_encoder.window,
                            x.device());
  for (const auto& stage : model.image_encoder.blocks)
    for (const auto& block : stage)
      if (block.name == name) return block(x.clone(), windows, {});
  for (const auto& block : model.lang_encoder.resblocks)
    if (block.name == name) return block(x.flatten(0, 1), {{x.size(0), x.size(1)}}).view_as(x);
  fail(ErrorCode::kUsage, "The model has no module '{}'; name it as the checkpoint does.", name);
}

std::vector<std::vector<int32_t>> texts_of(const Tensors& inputs) {
  std::vector<std::vector<int32_t>> texts;
  for (size_t i = 0; inputs.contains("tokens." + std::to_string(i)); ++i) {
    const auto& ids = inputs.at("tokens." + std::to_string(i));
    texts.emplace_back(ids.const_data_ptr<int32_t>(), ids.const_data_ptr<int32_t>() + ids.numel());
  }
  return texts;
}

/// Image i belongs to text i, in both directions, as the UniCL objective has it for captions.
at::Tensor pair_loss(const models::MedImageInsight& model, const at::Tensor& images,
                     const at::Tensor& texts) {
  const auto logits = model.logit_scale.exp() *
                      at::matmul(models::l2_normalise(images), models::l2_normalise(texts).t());
  const auto own = at::arange(logits.size(0), at::kLong);
  return (at::cross_entropy_loss(logits, own) + at::cross_entropy_loss(logits.t(), own)) / 2;
}

void forward(const models::MedImageInsight& model, const Tensors& inputs, Tensors& outputs) {
  const auto texts = texts_of(inputs);
  if (inputs.contains("images"))
    outputs["image_features"] = model.embed_images(inputs.at("images"));
  if (!texts.empty()) outputs["text_features"] = model.embed_tokens(texts);
  for (const auto& [name, x] : inputs)
    if (name.starts_with("block."))
      outputs[name] = run_block(model, name.substr(6, name.find('#') - 6), x);
}

void traced_forward(const models::MedImageInsight& model, const Tensors& inputs, Tensors& outputs) {
  const nn::TraceSink sink;
  forward(model, inputs, outputs);
  for (const auto& [name, value] : sink.tensors()) outputs["stage." + name] = value;
}

void gradients(const models::MedImageInsight& model, const TensorStore& store, Tensors& outputs) {
  outputs["loss"] = pair_loss(model, outputs.at("image_features"), outputs.at("text_features"));
  outputs["loss"].backward();
  for (const auto& [name, parameter] : store.taken())
    outputs["gradient." + name] = parameter.grad();
  outputs["loss"] = outputs["loss"].detach();
}

Tensors of_focalnet(const Json& config, const std::shared_ptr<TensorStore>& store,
                    const at::Tensor& images) {
  models::FocalNetConfig c;
  config.at("embed_dim").get_to(c.embed_dim);
  config.at("depths").get_to(c.depths);
  const models::FocalNet model(Weights(store) / "backbone", c);
  store->finish();
  const auto maps = model(images);
  Tensors outputs;
  for (size_t i = 0; i < maps.size(); ++i) outputs["res" + std::to_string(i + 2)] = maps[i];
  return outputs;
}

Tensors of_medimageinsight(const Json& job, const std::shared_ptr<TensorStore>& store,
                           const Tensors& inputs) {
  const models::MedImageInsight model(Weights(store), configure(job.at("config")));
  store->finish();
  Tensors outputs;
  const bool learning = job.value("gradients", false);
  const c10::AutoGradMode mode(learning);
  if (job.value("trace", false))
    traced_forward(model, inputs, outputs);
  else
    forward(model, inputs, outputs);
  if (learning) gradients(model, *store, outputs);
  return outputs;
}

int run(const Json& job) {
  at::set_num_threads(job.value("threads", 2));
  Tensors weights;
  for (const auto& path : job.at("weights"))
    for (auto& [name, tensor] : read_safetensors(path.get<std::string>())) weights[name] = tensor;
  for (auto& [name, tensor] : weights) tensor.requires_grad_(job.value("gradients", false));
  const auto store = std::make_shared<TensorStore>("the weights given", std::move(weights));
  const auto inputs = read_safetensors(job.at("inputs").get<std::string>());
  const auto outputs = job.contains("focalnet")
                           ? of_focalnet(job.at("focalnet"), store, inputs.at("images"))
                           : of_medimageinsight(job, store, inputs);
  write_safetensors(job.at("output").get<std::string>(), outputs);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return std::cerr << "usage: models_forward JOB.json\n", 2;
  try {
    return run(read_json(arguments[1]));
  } catch (const Error& error) {
    return std::cerr << error.what() << "\n", static_cast<int>(error.code());
  }
}
