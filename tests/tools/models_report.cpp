// Shows Python what MAIRA-2's parts make of given weights and inputs. One argument, a JSON file:
//   weights   safetensors files with the published names
//   vision, projector, text, image_token   fields of the configs, by our names; text.rope too
//   inputs    safetensors: "pixels" [n, 3, S, S]; "ids" [tokens] with an image token for each row;
//             "force" ids; "block.NAME" the input of module NAME, [n, tokens, hidden] or [tokens,
//             hidden]; "#…" behind NAME tells several inputs of one module apart
//   output    safetensors: hidden [n, 1 + tokens, vision.hidden], projected, embeds; prefill
//             [tokens, vocabulary] of ids; steps [force, vocabulary], each of one cached step,
//             whose last is behind all of "force"; train [tokens, vocabulary], the differentiable
//             path's; block.NAME; stage.NAME with "trace"; gradient.NAME and "loss" with
//             "gradients"
//   runs      a list of generate()'s options, one session for all: "prompt" ids (no images, or
//             those of "pixels"), max_new_tokens, stop, temperature, top_p, seed, lookup, guess,
//             reuse_prefix, force -> run.I.ids, run.I.log_probs, run.I.logits, run.I.counts
//             (prompt tokens computed and reused, guessed and accepted tokens, passes)
//   threads   of LibTorch
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <array>
#include <iostream>

#include "base/json.h"
#include "checkpoint/safetensors.h"
#include "models/maira2.h"
#include "nn/attention.h"
#include "nn/trace.h"

using namespace vesalius;

namespace {

using Tensors = std::map<std::string, at::Tensor>;

nn::Rope rope_of(const Json& json) {
  nn::Rope rope;
  rope.theta = json.value("theta", rope.theta);
  rope.factor = json.value("factor", rope.factor);
  rope.short_factors = json.value("short_factors", rope.short_factors);
  rope.long_factors = json.value("long_factors", rope.long_factors);
  rope.original_length = json.value("original_length", rope.original_length);
  if (json.contains("most"))
    rope.amplitude = nn::longrope_amplitude(json.at("most"), rope.original_length);
  return rope;
}

models::DecoderConfig text_of(const Json& json) {
  models::DecoderConfig c;
  json.at("vocabulary").get_to(c.vocabulary);
  json.at("hidden").get_to(c.hidden);
  json.at("intermediate").get_to(c.intermediate);
  json.at("layers").get_to(c.layers);
  json.at("heads").get_to(c.heads);
  json.at("kv_heads").get_to(c.kv_heads);
  json.at("head_dim").get_to(c.head_dim);
  json.at("eps").get_to(c.eps);
  c.rope = rope_of(json.at("rope"));
  if (json.contains("sliding_window")) c.sliding_window = json.at("sliding_window");
  c.fused = json.value("fused", false);
  c.tied_head = json.value("tied_head", false);
  c.read_again = json.value("read_again", false);
  return c;
}

models::Maira2Config configure(const Json& job) {
  models::Maira2Config c;
  const auto& vision = job.at("vision");
  vision.at("image_size").get_to(c.vision.image_size);
  vision.at("patch_size").get_to(c.vision.patch_size);
  vision.at("hidden").get_to(c.vision.hidden);
  vision.at("layers").get_to(c.vision.layers);
  vision.at("heads").get_to(c.vision.heads);
  c.vision.tap = vision.value("tap", c.vision.tap);
  c.vision.final_norm = vision.value("final_norm", c.vision.final_norm);
  c.text = text_of(job.at("text"));
  c.projector = {c.vision.hidden, c.text.hidden, job.at("projector").at("layers")};
  c.image_token = job.at("image_token");
  return c;
}

std::vector<int32_t> ids_of(const at::Tensor& x) {
  return {x.const_data_ptr<int32_t>(), x.const_data_ptr<int32_t>() + x.numel()};
}

at::Tensor run_block(const models::Maira2& model, const std::string& name, const at::Tensor& x) {
  for (const auto& block : model.vision_tower.layer)
    if (block.name == name) return block(x.clone());
  const auto& c = model.language_model.config;
  for (const auto& block : model.language_model.layers)
    if (block.name == name)
      return block(x, nn::rotation(c.rope, c.head_dim, {0, x.size(0), x.size(0)}),
                   [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
                     return nn::text_attention(q.unsqueeze(0), k.unsqueeze(0).transpose(1, 2),
                                               v.unsqueeze(0).transpose(1, 2),
                                               c.sliding_window.value_or(0))
                         .squeeze(0);
                   });
  fail(ErrorCode::kUsage, "The model has no block '{}'; name it as the checkpoint does.", name);
}

/// Logits of a whole prompt, and of each cached step behind it.
void steps(const models::Decoder& decoder, const at::Tensor& embeds, const Tensors& inputs,
           Tensors& outputs) {
  auto cache = decoder.cache();
  outputs["prefill"] = decoder.logits(decoder.forward(embeds, cache));
  if (!inputs.contains("force")) return;
  std::vector<at::Tensor> rows;
  for (const int32_t id : ids_of(inputs.at("force")))
    rows.push_back(decoder.logits(decoder.forward(decoder.embed(std::array{id}), cache)));
  outputs["steps"] = at::cat(rows);
}

models::GenerateOptions options_of(const Json& json) {
  models::GenerateOptions o;
  o.max_new_tokens = json.value("max_new_tokens", o.max_new_tokens);
  o.stop = json.value("stop", o.stop);
  o.sampling.temperature = json.value("temperature", 0.0);
  o.sampling.top_p = json.value("top_p", 1.0);
  o.sampling.seed = json.value("seed", uint64_t{0});
  o.lookup = json.value("lookup", o.lookup);
  o.guess = json.value("guess", o.guess);
  o.reuse_prefix = json.value("reuse_prefix", true);
  o.force = json.value("force", o.force);
  return o;
}

void generate(const models::Maira2& model, const at::Tensor& features, const Json& runs,
              Tensors& outputs) {
  models::Generation session(model.language_model);
  std::vector<uint64_t> images;
  for (int64_t i = 0; i < features.size(0); ++i) images.push_back(static_cast<uint64_t>(7 + i));
  for (size_t i = 0; i < runs.size(); ++i) {
    auto options = options_of(runs[i]);
    std::vector<at::Tensor> logits;
    options.on_step = [&](const models::Step& step) {
      logits.push_back(step.logits.clone());
      return true;
    };
    const auto ids = runs[i].at("prompt").get<std::vector<int32_t>>();
    const bool films = std::ranges::find(ids, model.config.image_token) != ids.end();
    const auto done = session.generate(films ? model.prompt(ids, features, images)
                                             : models::text_prompt(model.language_model, ids),
                                       options);
    const auto run = "run." + std::to_string(i);
    outputs[run + ".ids"] = at::tensor(done.ids, at::kInt);
    outputs[run + ".log_probs"] = at::tensor(done.log_probs, at::kFloat);
    outputs[run + ".logits"] = at::stack(logits);
    outputs[run + ".counts"] = at::tensor(
        {done.prefill_computed, done.prefill_reused, done.guessed, done.accepted, done.passes},
        at::kLong);
  }
}

void gradients(const models::Maira2& model, const TensorStore& store, const Tensors& inputs,
               Tensors& outputs) {
  const auto ids = ids_of(inputs.at("ids"));
  const auto embeds = model.embeds(ids, model.features(inputs.at("pixels")));
  const auto hidden = model.language_model.forward(embeds.unsqueeze(0)).squeeze(0);
  const auto targets = inputs.at("ids").to(at::kLong);
  const int64_t last = targets.size(0) - 1;
  const auto loss = at::cross_entropy_loss(model.language_model.logits(hidden.narrow(0, 0, last)),
                                           targets.narrow(0, 1, last));
  loss.backward();
  outputs["loss"] = loss.detach();
  for (const auto& [name, parameter] : store.taken())
    if (parameter.grad().defined()) outputs["gradient." + name] = parameter.grad();
}

void forward(const models::Maira2& model, const Json& job, const Tensors& inputs,
             Tensors& outputs) {
  at::Tensor projected;
  if (inputs.contains("pixels")) {
    outputs["hidden"] = model.vision_tower(inputs.at("pixels"));
    projected = outputs["projected"] = model.features(inputs.at("pixels"));
  } else {
    projected = at::empty({0, model.config.image_tokens(), model.config.text.hidden});
  }
  if (inputs.contains("ids")) {
    const auto& decoder = model.language_model;
    outputs["embeds"] = model.embeds(ids_of(inputs.at("ids")), projected);
    steps(decoder, outputs["embeds"], inputs, outputs);
    outputs["train"] = decoder.logits(decoder.forward(outputs["embeds"].unsqueeze(0))).squeeze(0);
  }
  if (job.contains("runs")) generate(model, projected, job.at("runs"), outputs);
  for (const auto& [name, x] : inputs)
    if (name.starts_with("block."))
      outputs[name] = run_block(model, name.substr(6, name.find('#') - 6), x);
}

int run(const Json& job) {
  at::set_num_threads(job.value("threads", 2));
  const bool learning = job.value("gradients", false);
  Tensors weights, outputs;
  for (const auto& path : job.at("weights"))
    weights.merge(read_safetensors(path.get<std::string>()));
  for (auto& [name, tensor] : weights) tensor.requires_grad_(learning);
  const auto store = std::make_shared<TensorStore>("the weights given", std::move(weights));
  const models::Maira2 model(Weights(store), configure(job));
  store->finish();
  const auto inputs = read_safetensors(job.at("inputs").get<std::string>());
  const c10::AutoGradMode mode(learning);
  if (learning) {
    gradients(model, *store, inputs, outputs);
  } else if (job.value("trace", false)) {
    const nn::TraceSink sink;
    forward(model, job, inputs, outputs);
    for (const auto& [name, value] : sink.tensors()) outputs["stage." + name] = value;
  } else {
    forward(model, job, inputs, outputs);
  }
  for (auto& [name, value] : outputs) value = value.contiguous();
  write_safetensors(job.at("output").get<std::string>(), outputs);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return std::cerr << "usage: models_report JOB.json\n", 2;
  try {
    return run(read_json(arguments[1]));
  } catch (const Error& error) {
    return std::cerr << error.what() << "\n", static_cast<int>(error.code());
  }
}
