// Version 2's output head and its random draws equal the published code's, from which
// make_boltzformer_golden.py stored outputs, figures over many seeds and what slips would have
// given.
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "models/seeded_biomedparse.h"
#include "nn/trace.h"

using namespace vesalius;
using namespace vesalius::models;
using namespace vesalius::testing;

namespace {

constexpr double kStage = 1e-5;  // of the largest value

// ---- output head ----------------------------------------

/// Both images and prompts' masks are those of the tiny whole pass.
struct HeadCase {
  const c10::InferenceMode inference;
  Tensors golden = golden_of("boltzformer_tiny.safetensors");
  at::Tensor pixels, masks;

  HeadCase() {
    const auto pass = golden_of("biomedparse_v2_tiny.safetensors");
    pixels = pass.at("image"), masks = pass.at("result.masks");
  }
};

OutputHead seeded_head(int64_t queries) {
  constexpr int64_t kChannels = 10;
  const auto record = TensorStore::recording();
  (void)OutputHead(Weights(record), queries, kChannels);
  Tensors tensors;
  for (const auto& [name, like] : record->taken())
    tensors[name] = seeded_tensor(name, like.sizes(), {});
  return {Weights(std::make_shared<TensorStore>("seeded", std::move(tensors))), queries, kChannels};
}

TEST(OutputHeadParity, StagesAndEnd) {
  const HeadCase of;
  const auto head = seeded_head(of.masks.size(2));
  const nn::TraceSink sink;
  const auto ours = head(of.pixels, of.masks);
  EXPECT_LT(difference(ours, of.golden.at("head.result")), kStage);
  for (const char* stage : {"output_deconv", "layer_norm", "output_conv", "output_conv2"})
    EXPECT_LT(difference(sample(sink.tensors().at(stage)),
                         of.golden.at(std::string("head.") + stage + ".out")),
              kStage)
        << stage;
  int slips = 0;
  for (const auto& [name, value] : of.golden)
    if (name.starts_with("head.slip.")) {
      EXPECT_GT(difference(value, sample(ours)), 5 * kStage) << name;
      ++slips;
    }
  EXPECT_EQ(slips, 6);
}

TEST(OutputHead, IsPartOfTheWholePass) {
  const HeadCase of;
  auto config = tiny_biomedparse();
  config.edge_queries = 0;
  config.output_channels = 10;
  const auto store =
      std::make_shared<TensorStore>("seeded", seeded_biomedparse<BiomedParseV2>(config));
  const BiomedParseV2 model(Weights(store), config);
  const auto result = model(of.pixels, model.language_encoder(tiny_prompts()), seeded_draws());
  EXPECT_LT(difference(result.masks, of.golden.at("head.result")), 4e-5);
  EXPECT_FALSE(result.edges.defined());
}

// ---- draws ----------------------------------------

constexpr int kSeeds = 100;
constexpr double kFigures = 2e-3;  // rounding may turn the sign of a pixel or two: 7e-4 each
/// Where decoders agree, two_sample() is near 1 and 0. The seeds are fixed, so nothing is left to
/// chance.
constexpr double kMeans = 3, kDeviations = 0.25;

at::Tensor dice(const at::Tensor& a, const at::Tensor& b) {
  const auto area = [](const at::Tensor& x) { return x.sum({-2, -1}); };
  return 2 * area(a & b) / (area(a) + area(b)).clamp_min(1);
}

/// The published code's seeds, and our own.
class DrawnCase {
 public:
  const Tensors golden = golden_of("boltzformer_tiny.safetensors");

  /// [seeds, figure, image, prompt]: the mask's share of the plane, its Dice with that of the draws
  /// by arithmetic, existence.
  at::Tensor figures(int first, int count) const {
    std::vector<at::Tensor> rows;
    for (int seed = first; seed < first + count; ++seed)
      rows.push_back(figures(parsed(generated_uniforms(static_cast<uint64_t>(seed)))));
    return at::stack(rows);
  }

 private:
  ParsedMasks parsed(const Uniforms& draws) const {
    return model_.parse(pixels_, features_, prompts_, draws);
  }
  at::Tensor figures(const ParsedMasks& result) const {
    const auto mask = result.masks > 0;
    return at::stack(
        {mask.to(at::kFloat).mean({-2, -1}), dice(mask, by_arithmetic_), result.existence});
  }

  const c10::InferenceMode inference_;
  const BiomedParseV2 model_{Weights(std::make_shared<TensorStore>(
                                 "seeded", seeded_biomedparse<BiomedParseV2>(tiny_biomedparse()))),
                             tiny_biomedparse()};
  const at::Tensor pixels_ =
      golden_of("biomedparse_v2_tiny.safetensors").at("image").repeat({1, 1, 2, 2});
  const PixelFeatures features_ = model_.features(pixels_);
  const Prompts prompts_ = model_.language_encoder(tiny_prompts());
  const at::Tensor by_arithmetic_ = parsed(seeded_draws()).masks > 0;
};

/// Means and deviations over as many seeds each, [2, figure, image, prompt]: the mean square of
/// Welch's statistic, and the mean logarithm of the deviations' ratio.
std::pair<double, double> two_sample(const at::Tensor& a, const at::Tensor& b) {
  const auto variance = (a[1].square() + b[1].square()) / kSeeds;
  const auto means = ((a[0] - b[0]).square() / variance).mean();
  const auto deviations = (a[1].clamp_min(1e-6) / b[1].clamp_min(1e-6)).log().mean();
  return {means.item<double>(), deviations.item<double>()};
}

bool agree(const std::pair<double, double>& statistics) {
  return statistics.first <= kMeans && std::abs(statistics.second) <= kDeviations;
}

TEST(BoltzFormerDraws, AreThePublishedOnesSeedBySeed) {
  const DrawnCase of;
  const auto& published = of.golden.at("draws.first");
  const auto ours = of.figures(0, static_cast<int>(published.size(0)));
  EXPECT_LT(difference(ours, published), kFigures);
  int slips = 0;
  for (const auto& [name, value] : of.golden)
    if (name.starts_with("draws.slip.") && name.ends_with(".first")) {
      EXPECT_GT(difference(ours, value), 50 * kFigures) << name;
      ++slips;
    }
  EXPECT_EQ(slips, 3);
}

TEST(BoltzFormerDraws, OtherSeedsAreDistributedAsThePublishedOnes) {
  const DrawnCase of;
  const auto each = of.figures(1000, kSeeds);
  const auto ours = at::stack({each.mean(0), each.std(0)});
  const auto statistics = two_sample(ours, of.golden.at("draws"));
  std::printf("  means %.2f, deviations %.3f\n", statistics.first, statistics.second);
  EXPECT_TRUE(agree(statistics));
  for (const auto& [name, value] : of.golden)
    if (name.starts_with("draws.slip.") && !name.ends_with(".first")) {
      const auto slip = two_sample(value, ours);
      std::printf("  %s: means %.2f, deviations %.3f\n", name.c_str(), slip.first, slip.second);
      EXPECT_FALSE(agree(slip)) << name;
    }
}

}  // namespace
