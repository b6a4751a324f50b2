// The training of BiomedParse v1 on words: its decoder, matches, loss and gradients equal those of
// the published training code, stored by make_grounding_loss_golden.py.
#include "tasks/grounding_loss.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/files.h"
#include "checkpoint/safetensors.h"
#include "models/seeded_biomedparse.h"

using namespace vesalius;
using namespace vesalius::tasks;
using namespace vesalius::testing;

namespace {

/// The script's two images with two and three prompts.
const std::vector<std::vector<std::vector<int32_t>>> kIds{
    {{510, 17, 44, 3, 511}, {510, 9, 511}},
    {{510, 100, 211, 8, 9, 77, 5, 511}, {510, 33, 9, 250, 511}, {510, 9, 511}}};
constexpr int64_t kPoints = 12544;

struct Published {
  Tensors golden = read_safetensors(fs::path(VESALIUS_SOURCE_DIR) /
                                    "tests/tasks/golden/grounding_loss.safetensors");
  Tensors tensors = seeded_biomedparse<models::BiomedParseV1>(tiny_biomedparse());
  models::BiomedParseV1 model = build();

  models::BiomedParseV1 build() {
    for (auto& [name, tensor] : tensors) tensor.requires_grad_();
    return {Weights(std::make_shared<TensorStore>("seeded", tensors)), tiny_biomedparse()};
  }

  const at::Tensor& at(const std::string& name) const { return golden.at(name); }

  std::vector<GroundedImage> images() const {
    const auto layers = model.every_layer(
        model.features(at("image")), {model.lang_encoder(kIds[0]), model.lang_encoder(kIds[1])});
    return {{layers[0], at("truth.0")}, {layers[1], at("truth.1")}};
  }
};

TEST(GroundingLoss, ValueAndGradientsAreThePublished) {
  const Published published;
  const auto loss = grounding_loss(published.images(), seeded_draws());
  EXPECT_NEAR(loss.item<double>() / published.at("loss").item<double>(), 1, 1e-5);
  loss.backward();
  int compared = 0;
  for (const auto& [name, theirs] : published.golden) {
    if (!name.starts_with("gradient.")) continue;
    const auto& ours = published.tensors.at(name.substr(9)).grad();
    ASSERT_TRUE(ours.defined()) << name;
    EXPECT_LT(difference(sample(ours), theirs), 1e-4) << name;
    ++compared;
  }
  EXPECT_EQ(compared, 16);
}

TEST(GroundingLoss, MasksOfEveryLayerAreThePublishedTrainingsOwn) {
  const Published published;
  const auto images = published.images();
  const size_t layers = images[0].layers.size();
  ASSERT_EQ(layers, 5U);
  for (size_t i = 0; i < layers; ++i) {
    const auto& stored = published.at("masks." + std::to_string(layers - 1 - i));
    const auto ours = at::stack({images[0].layers[i].masks, images[1].layers[i].masks});
    EXPECT_LT(difference(sample(ours.detach()), stored), 2e-5) << i;
  }
}

TEST(GroundingLoss, QueriesAreMatchedAsPublished) {
  const Published published;
  const auto images = published.images();
  const auto draws = seeded_draws();
  for (size_t layer = 0; layer < 5; ++layer) {
    for (size_t i = 0; i < images.size(); ++i) {
      const auto stored = published.at(fmt::format("match.{}.{}", layer, i)).to(at::kLong);
      std::vector<std::pair<int64_t, int64_t>> theirs;  // the query of each prompt
      for (int64_t prompt = 0; prompt < stored.numel(); ++prompt)
        theirs.emplace_back(stored[prompt].item<int64_t>(), prompt);
      std::ranges::sort(theirs);
      EXPECT_EQ(match_queries(images[i].layers[4 - layer], images[i].truth, draws({1, kPoints, 2})),
                theirs)
          << layer << " " << i;
    }
    draws({1}), draws({1});  // the loss's own points
  }
}

TEST(GroundingLoss, MorePromptsThanQueriesLeaveSomeAlone) {
  const auto quarters = at::eye(4).view({4, 2, 2}).repeat_interleave(4, 1).repeat_interleave(4, 2);
  const auto scores = at::zeros({4, 2}).requires_grad_();
  const models::QueryMasks answers{20 * quarters.slice(0, 1, 3) - 10, scores};
  using Pairs = std::vector<std::pair<int64_t, int64_t>>;
  EXPECT_EQ(match_queries(answers, quarters, seeded_draws()({1, 64, 2})), (Pairs{{0, 1}, {1, 2}}));
  grounding_loss({{{answers}, quarters}}, seeded_draws()).backward();
  const auto pushed = scores.grad().abs().amax(1) > 0;
  EXPECT_TRUE(at::equal(pushed, at::tensor({0, 1, 1, 0}) == 1));
}

TEST(GroundingLoss, MasksThatAreNoNumbersAreToldApart) {
  const models::QueryMasks answers{at::full({2, 4, 4}, NAN), at::zeros({1, 2})};
  EXPECT_THROW(match_queries(answers, at::ones({1, 8, 8}), seeded_draws()({1, 8, 2})), Error);
}

}  // namespace
