#include "tasks/train_segment.h"

#include <c10/core/GradMode.h>

#include "catalog/segmentation_model.h"
#include "checkpoint/weights.h"
#include "tasks/random.h"
#include "tasks/segment_step.h"

namespace vesalius::tasks {
namespace {

constexpr uint64_t kUniforms = 31;  // stream of random numbers

/// Uniform numbers that depend on (seed, number) alone.
models::Uniforms uniforms(uint64_t seed, uint64_t number) {
  KeyedRandom key({seed, kUniforms, number});
  return catalog::generated_uniforms(key.next());
}

bool is_backbone(const std::string& name) { return name.starts_with("backbone."); }

/// With its projection, in either version.
bool is_text_tower(const std::string& name) {
  return name.find(".language_encoder.") != std::string::npos ||
         name.find(".lang_encoder.") != std::string::npos;
}

TensorRole role_of(TrainedPart part, const std::string& name, const at::Tensor& value) {
  if (name.starts_with("pixel_") || models::BiomedParseV1::is_unused(name))
    return TensorRole::kFixed;
  if (part == TrainedPart::kAll) return TensorRole::kMoved;
  if (is_backbone(name) || is_text_tower(name)) return TensorRole::kFixed;
  if (part == TrainedPart::kDecoder) return TensorRole::kMoved;
  return value.dim() == 2 && name.ends_with("weight") ? TensorRole::kLowRank : TensorRole::kFixed;
}

std::unique_ptr<catalog::ParseModel> build(const catalog::ParseArchitecture& architecture,
                                           TrainedTensors::Tensors tensors) {
  return catalog::make_parse_model(
      std::make_shared<TensorStore>("the model in training", std::move(tensors)), architecture);
}

std::vector<Parameter> parameters_of(const TrainedTensors& trained,
                                     const SegmentTrainOptions& options) {
  auto parameters = make_parameters(trained.moved(), options.freeze);
  for (Parameter& parameter : parameters) {
    if (is_backbone(parameter.name)) parameter.rate = options.backbone_rate;
    if (is_text_tower(parameter.name)) parameter.rate = options.text_rate;
  }
  return parameters;
}

}  // namespace

TrainResult train_segment(const SegmentTrainee& trainee, const std::vector<OutlinedImage>& training,
                          const std::vector<OutlinedImage>& validation,
                          const SegmentTrainOptions& options, const TrainLog& log,
                          const StopRequest& stop, const ShowExamples& show) {
  auto architecture = trainee.architecture;
  architecture.model.backbone.drop_path = options.drop_path;
  const PlaneForm form{.side = architecture.image_size, .version = architecture.version};
  const OutlineStore store(training, form, options.quiet);
  std::optional<OutlineStore> held_out;
  if (!validation.empty()) held_out.emplace(validation, form, options.quiet);
  OutlineBatches batches(store, options.sampling);
  const TrainedTensors trained(
      trainee.tensors,
      [&](const auto& name, const auto& value) { return role_of(options.part, name, value); },
      options.rank, options.seed);
  AdamW optimizer(parameters_of(trained, options), options.optimizer);

  TrainWork work{.batches_per_epoch = batches.per_epoch(), .batch = options.sampling.batch};
  work.loss = [&](int64_t number) {
    return batch_loss(*build(architecture, trained.whole()), *trainee.tokenizer,
                      batches.get(number),
                      {.uniforms = uniforms(options.seed, static_cast<uint64_t>(number)),
                       .drop = make_drop_path(options.seed, number)},
                      options.bf16);
  };
  if (held_out)
    work.measure = [&](const AdamW& now, int64_t epoch) {
      std::vector<SegmentExample> examples;
      const auto score = score_segments(
          *build(architecture, trained.whole(now.smoothed())), *trainee.tokenizer, *held_out,
          [&](uint64_t image) { return uniforms(options.seed, image); }, &examples);
      if (show) show(epoch, examples);
      return to_json(score);
    };
  auto result = run_training(optimizer, work, options, log, stop);
  const c10::NoGradGuard no_grad;
  result.weights = trained.whole(result.weights);
  return result;
}

}  // namespace vesalius::tasks
