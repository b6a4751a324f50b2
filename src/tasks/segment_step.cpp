#include "tasks/segment_step.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>

#include "tasks/grounding_loss.h"
#include "tasks/segment_loss.h"
#include "tasks/train_loop.h"

namespace vesalius::tasks {
namespace {

using models::BiomedParseV1;
using models::BiomedParseV2;
using models::Prompts;
using text::ClipTokenizer;

/// Tokens of every prompt, each encoded once.
std::map<std::string, at::Tensor> encode(const models::PromptEncoder& encoder,
                                         const ClipTokenizer& tokenizer, int64_t context,
                                         const std::vector<std::string>& prompts) {
  const std::set<std::string> different(prompts.begin(), prompts.end());
  const std::vector<std::string> names(different.begin(), different.end());
  const auto encoded = encoder(tokenize(tokenizer, names, context));
  std::map<std::string, at::Tensor> tokens;
  for (size_t i = 0; i < names.size(); ++i) tokens[names[i]] = encoded.tokens[i];
  return tokens;
}

/// Places of an image's prompts, the first of each.
std::vector<int64_t> different_ones(std::span<const std::string> prompts) {
  std::vector<int64_t> places;
  for (size_t i = 0; i < prompts.size(); ++i)
    if (std::ranges::find(prompts.first(i), prompts[i]) ==
        prompts.begin() + static_cast<int64_t>(i))
      places.push_back(static_cast<int64_t>(i));
  return places;
}

at::Tensor loss_of(const BiomedParseV1& model, const ClipTokenizer& tokenizer,
                   const OutlineBatch& batch, const StepDraws& draws, bool bf16) {
  const int64_t images = batch.pixels.size(0), each = batch.masks.size(1);
  std::vector<Prompts> prompts(static_cast<size_t>(images));
  std::vector<GroundedImage> grounded(prompts.size());
  {
    const Autocast autocast(bf16);
    const auto tokens =
        encode(model.lang_encoder, tokenizer, model.config.text.context, batch.prompts);
    for (size_t i = 0; i < prompts.size(); ++i) {
      const auto own = std::span(batch.prompts).subspan(i * static_cast<size_t>(each), each);
      const auto places = different_ones(own);
      std::vector<at::Tensor> ends;
      for (const int64_t place : places) {
        prompts[i].tokens.push_back(tokens.at(own[static_cast<size_t>(place)]));
        ends.push_back(prompts[i].tokens.back()[-1]);
      }
      prompts[i].classes = at::stack(ends);
      grounded[i].truth = batch.masks[static_cast<int64_t>(i)].index_select(0, at::tensor(places));
    }
    const auto features = model.features(model.normalised(batch.pixels), draws.drop);
    auto layers = model.every_layer(features, prompts);
    for (size_t i = 0; i < layers.size(); ++i) grounded[i].layers = std::move(layers[i]);
  }
  return grounding_loss(grounded, draws.uniforms);
}

at::Tensor loss_of(const BiomedParseV2& model, const ClipTokenizer& tokenizer,
                   const OutlineBatch& batch, const StepDraws& draws, bool bf16) {
  Answers answers;
  {
    const Autocast autocast(bf16);
    const auto tokens =
        encode(model.language_encoder, tokenizer, model.config.text.context, batch.prompts);
    Prompts prompts;
    for (const std::string& prompt : batch.prompts) prompts.tokens.push_back(tokens.at(prompt));
    const auto pixels = model.normalised(batch.pixels);
    const auto features = model.features(pixels, draws.drop);
    const auto found = model.parse_each(pixels, features, prompts, draws.uniforms);
    answers = {.masks = found.masks.flatten(0, 1),
               .edges = found.edges.defined() ? found.edges.flatten(0, 1) : at::Tensor(),
               .existence = found.existence.flatten()};
  }
  return segment_loss(answers, batch.masks.flatten(0, 1));
}

/// Resized as the published inference of each version does it.
ImageAnswers answers_of(const BiomedParseV1& model, const at::Tensor& pixels,
                        const Prompts& prompts, const models::Uniforms& /*uniforms*/) {
  const auto found = model(model.normalised(pixels), prompts);
  const auto masks = at::upsample_bilinear2d(found.masks.unsqueeze(0), pixels.sizes().slice(2),
                                             /*align_corners=*/false)[0];
  return {.masks = masks, .existence = masks.amax({1, 2})};
}

ImageAnswers answers_of(const BiomedParseV2& model, const at::Tensor& pixels,
                        const Prompts& prompts, const models::Uniforms& uniforms) {
  const auto found = model(model.normalised(pixels), prompts, uniforms);
  return {.masks = at::_upsample_bicubic2d_aa(found.masks, pixels.sizes().slice(2),
                                              /*align_corners=*/false)[0],
          .existence = found.existence[0]};
}

}  // namespace

at::Tensor batch_loss(const catalog::ParseModel& model, const ClipTokenizer& tokenizer,
                      const OutlineBatch& batch, const StepDraws& draws, bool bf16) {
  return std::visit(
      [&](const auto& network) { return loss_of(network, tokenizer, batch, draws, bf16); }, model);
}

ImageAnswers answer_image(const catalog::ParseModel& model, const ClipTokenizer& tokenizer,
                          const at::Tensor& pixels, const std::vector<std::string>& prompts,
                          const models::Uniforms& uniforms) {
  return std::visit(
      [&](const auto& network) {
        const auto encoded = catalog::prompt_encoder(model)(
            tokenize(tokenizer, prompts, network.config.text.context));
        return answers_of(network, pixels.to(at::kFloat).unsqueeze(0), encoded, uniforms);
      },
      model);
}

}  // namespace vesalius::tasks
