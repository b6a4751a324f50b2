// BiomedParse at its released sizes against the published code, whose stages
// make_biomedparse_golden.py --full stored as samples. Gates are ten times what the published code
// differs from itself when another order of summation is chosen, in units of a stage's root mean
// square: rounding grows from stage to stage.
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "models/seeded_biomedparse.h"
#include "nn/trace.h"

using namespace vesalius;
using namespace vesalius::models;
using vesalius::testing::floats;
using vesalius::testing::golden_of;
using vesalius::testing::seeded_biomedparse;
using vesalius::testing::seeded_draws;
using vesalius::testing::Tensors;

namespace {

constexpr double kProbability = 3.1e-3;

/// Measured floors times ten; the first prefix that fits decides.
const std::vector<std::pair<std::string, double>> kGates{
    {"backbone.patch_embed", 1e-5},        {"backbone.layers.0", 3e-5},
    {"backbone.layers.1", 1.2e-4},         {"backbone.layers.2", 9e-4},
    {"backbone.layers.3", 1.8e-3},         {"sem_seg_head.pixel_decoder", 1.8e-3},
    {"sem_seg_head.predictor.lang", 1e-5},  // rounding has no way to grow in the text tower
    {"sem_seg_head.predictor", 9e-3}};

/// The script's: three prompts of one and two words; which words they are does not matter.
const std::vector<std::vector<int32_t>> kPrompts{
    {49406, 10390, 49407}, {49406, 1823, 28374, 49407}, {49406, 34722, 14683, 49407}};

/// The image of make_biomedparse_golden.py: rings, stripes and seeded noise.
at::Tensor pixels(int64_t side) {
  const auto x = at::linspace(-1, 1, side, at::kFloat).unsqueeze(0), y = x.t();
  const auto rings = at::sin(9 * x.pow(2) + 7 * (y + 0.3).pow(2));
  const auto rows = at::stack({rings, at::cos(11 * x * y), at::tanh(6 * (x + y)) * rings});
  const auto noise = at::empty({1, 3, side, side}, at::kFloat);
  seeded_stream("pixels", 7, 0, floats(noise));
  return rows.unsqueeze(0) + 0.3 * noise;
}

/// 512 values spread over a tensor, as the script samples.
at::Tensor sample(const at::Tensor& x) {
  const auto flat = x.reshape(-1);
  const int64_t step = std::max<int64_t>(1, flat.numel() / 512);
  return flat.slice(0, 0, std::nullopt, step).slice(0, 0, 512);
}

/// Ours as the published module gives it: channels first, or tokens first.
at::Tensor as_published(const std::string& name, const at::Tensor& ours, int64_t batch) {
  if (name.ends_with("patch_embed") || name.ends_with("downsample"))
    return ours.permute({0, 3, 1, 2});
  if (name.starts_with("sem_seg_head.predictor"))
    return ours.reshape({batch, -1, ours.size(-1)}).transpose(0, 1);
  return ours;
}

double gate_of(const std::string& name) {
  for (const auto& [prefix, gate] : kGates)
    if (name.starts_with(prefix)) return gate;
  return 0;
}

/// Every stage that was stored, text blocks apart: those are stored padded. Prints the worst
/// differences by gate.
void expect_stages(const Tensors& golden, const nn::TraceSink& sink, int64_t prompts_in_batch) {
  std::map<double, double> worst;
  int compared = 0;
  for (const auto& [name, ours] : sink.tensors()) {
    const auto found = golden.find(name + ".out");
    if (found == golden.end() || name.find("resblocks") != std::string::npos) continue;
    const auto theirs = found->second.slice(0, 0, -1), rms = found->second[-1];
    const auto mine = sample(as_published(name, ours, prompts_in_batch));
    const double gate = gate_of(name);
    ASSERT_EQ(mine.sizes(), theirs.sizes()) << name;
    const double difference = ((mine - theirs).abs().max() / rms).item<double>();
    EXPECT_LE(difference, gate) << name;
    worst[gate] = std::max(worst[gate], difference);
    ++compared;
  }
  EXPECT_GE(compared, 50);
  for (const auto& [gate, difference] : worst)
    std::printf("  stages with gate %.1e: worst %.1e\n", gate, difference);
}

void expect_probabilities(const at::Tensor& masks, const at::Tensor& golden) {
  const auto theirs = golden.slice(0, 0, -1), ours = sample(masks);
  const double difference = (ours.sigmoid() - theirs.sigmoid()).abs().max().item<double>();
  std::printf("  probabilities: worst %.1e, logits %.1e of %.1f\n", difference,
              (ours - theirs).abs().max().item<double>(), theirs.abs().max().item<double>());
  EXPECT_LE(difference, kProbability);
  // Masks that say one thing everywhere would hide a slip.
  const double held = (theirs > 0).to(at::kDouble).mean().item<double>();
  EXPECT_GT(held, 0.2);
  EXPECT_LT(held, 0.8);
}

void expect_classes(const at::Tensor& ours, const at::Tensor& theirs) {
  const double difference = ((ours - theirs).abs().max() / theirs.abs().max()).item<double>();
  std::printf("  prompts: worst %.1e\n", difference);
  EXPECT_LE(difference, 1e-5);
}

TEST(BiomedParseFull, Version1) {
  const c10::InferenceMode inference;
  const auto golden = golden_of("biomedparse_v1_full.safetensors");
  const auto store = std::make_shared<TensorStore>("seeded", seeded_biomedparse<BiomedParseV1>({}));
  const BiomedParseV1 model(Weights(store), {});
  const auto prompts = model.lang_encoder(kPrompts);
  expect_classes(prompts.classes, golden.at("result.classes"));
  const nn::TraceSink sink;
  const auto result = model(pixels(1024), prompts);
  EXPECT_TRUE(at::equal(result.queries.to(at::kFloat), golden.at("result.chosen")));
  const auto scores = (result.scores - golden.at("result.scores")).abs().max().item<double>();
  std::printf("  scores: worst %.1e\n", scores);
  EXPECT_LE(scores, kProbability);
  expect_stages(golden, sink, 1);
  expect_probabilities(sink.tensors().at("sem_seg_head.predictor.masks"),
                       golden.at("result.masks"));
}

TEST(BiomedParseFull, Version2) {
  const c10::InferenceMode inference;
  const auto golden = golden_of("biomedparse_v2_full.safetensors");
  const auto store = std::make_shared<TensorStore>("seeded", seeded_biomedparse<BiomedParseV2>({}));
  const BiomedParseV2 model(Weights(store), {});
  const auto prompts = model.language_encoder(kPrompts);
  expect_classes(prompts.classes, golden.at("result.classes"));
  const nn::TraceSink sink;
  const auto result = model(pixels(512), prompts, seeded_draws());
  const auto existence =
      (result.existence.sigmoid() - golden.at("result.existence").sigmoid()).abs().max();
  std::printf("  existence: worst %.1e\n", existence.item<double>());
  EXPECT_LE(existence.item<double>(), kProbability);
  expect_stages(golden, sink, std::ssize(kPrompts));
  expect_probabilities(sink.tensors().at("sem_seg_head.predictor.masks"),
                       golden.at("result.masks"));
}

}  // namespace
